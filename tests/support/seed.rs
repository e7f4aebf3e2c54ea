//! Randomness that can be played again.

/// A generator that plays the same in every run, unless `SEED=random` or a number says otherwise; prints its seed.
#[expect(clippy::print_stdout, reason = "shown where a test fails, so that it can be played again")]
pub(crate) fn from_env(otherwise: u64) -> fastrand::Rng {
    let seed = match std::env::var("SEED").as_deref() {
        Err(_) => otherwise,
        Ok("random") => fastrand::u64(..),
        Ok(number) => number.parse().expect("`SEED` is `random` or a number"),
    };
    println!("seed {seed}");
    fastrand::Rng::with_seed(seed)
}
