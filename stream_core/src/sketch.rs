//! Set reconciliation: 32 bytes that tell which of two sets' elements differ, up to eight of them.
//!
//! A BCH syndrome sketch over GF(2^32), known as PinSketch (Dodis, Reyzin, Smith, "Fuzzy Extractors", 2004). The sketch of
//! a set is the odd power sums x, x³ … x¹⁵ of its elements; adding two sketches cancels what the sets share. From the sum,
//! Berlekamp–Massey finds the polynomial whose roots are the differences. The roots need no search here: whoever asks has
//! the candidates at hand.

/// Most differences a sketch can tell.
pub const CAPACITY: usize = 8;
/// Size of a sketch, bytes.
pub const SKETCH_BYTES: usize = CAPACITY * 4;

/// x³² + x⁷ + x³ + x² + 1, irreducible over GF(2).
const MODULUS: u64 = (1 << 32) | 0x8d;

/// Power sums of a set of non-zero elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sketch([u32; CAPACITY]);

impl Sketch {
    /// The sketch of the empty set.
    pub const EMPTY: Self = Self([0; CAPACITY]);

    /// Adds the element, or takes it away when it is there.
    pub fn toggle(&mut self, element: u32) {
        let square = Multiples::of(multiply(element, element));
        let mut power = element;
        for sum in &mut self.0 {
            *sum ^= power;
            power = square.times(power);
        }
    }

    /// Returns the sketch of the elements that are in one of the two sets only.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        let mut sums = self.0;
        for (sum, theirs) in sums.iter_mut().zip(other.0) {
            *sum ^= theirs;
        }
        Self(sums)
    }

    /// Whether the set is empty (or its differences are beyond [`CAPACITY`] and cancel, which is as likely as 2^-256).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes the sketch.
    #[must_use]
    pub fn to_bytes(self) -> [u8; SKETCH_BYTES] {
        let mut bytes = [0; SKETCH_BYTES];
        for (chunk, sum) in bytes.chunks_exact_mut(4).zip(self.0) {
            chunk.copy_from_slice(&sum.to_be_bytes());
        }
        bytes
    }

    /// Reads a sketch. Any bytes are one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SKETCH_BYTES]) -> Self {
        let mut sums = [0; CAPACITY];
        for (sum, chunk) in sums.iter_mut().zip(bytes.chunks_exact(4)) {
            *sum = chunk.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
        }
        Self(sums)
    }

    /// Finds which elements the set has; `None` when it has more than [`CAPACITY`].
    #[must_use]
    pub fn decode(&self) -> Option<Locator> {
        let locator = berlekamp_massey(&self.syndromes());
        let degree = degree(&locator);
        if degree > CAPACITY {
            return None;
        }
        let monic = reversed(&locator, degree);
        // A set beyond the capacity gives some polynomial too, but seldom (1 in 8!) one that is a product of `degree`
        // different linear factors.
        splits(&monic, degree).then_some(Locator { monic, degree })
    }

    /// All power sums s₁ … s₁₆; even ones are squares: s₂ₖ = sₖ².
    fn syndromes(&self) -> [u32; CAPACITY * 2] {
        let mut all = [0; CAPACITY * 2];
        for power in 1..=CAPACITY * 2 {
            all[power - 1] = if power % 2 == 1 {
                self.0[power / 2]
            } else {
                let half = all[power / 2 - 1];
                multiply(half, half)
            };
        }
        all
    }
}

type Poly = [u32; CAPACITY * 2 + 2];

/// The polynomial whose roots are the elements of a decoded set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    monic: Poly,
    degree: usize,
}

impl Locator {
    /// How many elements the set has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.degree
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.degree == 0
    }

    /// Whether the set has `element`.
    #[must_use]
    pub fn contains(&self, element: u32) -> bool {
        self.degree > 0 && self.monic[..=self.degree].iter().rev().fold(0, |sum, c| multiply(sum, element) ^ c) == 0
    }
}

/// Multiplies in GF(2^32).
fn multiply(a: u32, b: u32) -> u32 {
    Multiples::of(a).times(b)
}

/// What a factor is times each polynomial of four bits: a product is put together of eight of them, in an eighth of the time that
/// bit by bit takes.
struct Multiples([u64; 16]);

impl Multiples {
    fn of(factor: u32) -> Self {
        let mut all = [0; 16];
        all[1] = u64::from(factor);
        for half in 1..8 {
            all[half * 2] = all[half] << 1;
            all[half * 2 + 1] = all[half * 2] ^ all[1];
        }
        Self(all)
    }

    fn times(&self, other: u32) -> u32 {
        let four = |product: u64, at: u32| product << 4 ^ self.0[(other >> at & 0xf) as usize];
        reduce([28, 24, 20, 16, 12, 8, 4, 0].into_iter().fold(0, four))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "two folds leave 32 bits")]
fn reduce(product: u64) -> u32 {
    // x³² = x⁷ + x³ + x² + 1: fold the high half down, twice, because the first fold reaches seven bits above.
    let fold = |high: u64| high ^ (high << 2) ^ (high << 3) ^ (high << 7);
    let once = (product & 0xffff_ffff) ^ fold(product >> 32);
    ((once & 0xffff_ffff) ^ fold(once >> 32)) as u32
}

fn inverse(a: u32) -> u32 {
    // a^(2^32 - 2): the product of a^(2^k) for k = 1..31.
    let mut square = a;
    let mut result = 1;
    for _ in 1..32 {
        square = multiply(square, square);
        result = multiply(result, square);
    }
    result
}

/// Shortest linear recurrence of the syndromes, as the polynomial 1 + c₁x + …
fn berlekamp_massey(syndromes: &[u32]) -> Poly {
    let mut current: Poly = [0; CAPACITY * 2 + 2];
    let mut previous = current;
    current[0] = 1;
    previous[0] = 1;
    let (mut length, mut shift, mut last) = (0, 1, 1_u32);
    for n in 0..syndromes.len() {
        let discrepancy = (1..=length).fold(syndromes[n], |sum, i| sum ^ multiply(current[i], syndromes[n - i]));
        if discrepancy == 0 {
            shift += 1;
            continue;
        }
        let scale = multiply(discrepancy, inverse(last));
        let before = current;
        for i in shift..current.len() {
            current[i] ^= multiply(scale, previous[i - shift]);
        }
        if 2 * length <= n {
            length = n + 1 - length;
            previous = before;
            last = discrepancy;
            shift = 1;
        } else {
            shift += 1;
        }
    }
    current
}

fn degree(poly: &Poly) -> usize {
    poly.iter().rposition(|coefficient| *coefficient != 0).unwrap_or(0)
}

/// Turns the polynomial with roots 1/x into the monic one with roots x.
fn reversed(poly: &Poly, degree: usize) -> Poly {
    let mut out = [0; CAPACITY * 2 + 2];
    for (i, coefficient) in poly[..=degree].iter().enumerate() {
        out[degree - i] = *coefficient;
    }
    out
}

/// Whether the monic polynomial is a product of different linear factors: x^(2^32) = x modulo it.
fn splits(monic: &Poly, degree: usize) -> bool {
    if degree <= 1 {
        return true;
    }
    let mut power = [0; CAPACITY * 2 + 2];
    power[1] = 1;
    for _ in 0..32 {
        // Squaring in characteristic 2: square each coefficient, double each exponent.
        let mut squared = [0; CAPACITY * 2 + 2];
        for i in 0..degree {
            squared[2 * i] = multiply(power[i], power[i]);
        }
        for high in (degree..2 * degree).rev() {
            let lead = squared[high];
            if lead != 0 {
                for i in 0..=degree {
                    squared[high - degree + i] ^= multiply(lead, monic[i]);
                }
            }
        }
        power = squared;
    }
    power[1] == 1 && power.iter().enumerate().all(|(i, c)| i == 1 || *c == 0)
}

const _: () = assert!(MODULUS == 0x1_0000_008d, "`reduce` folds by this polynomial");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn sketch(elements: impl IntoIterator<Item = u32>) -> Sketch {
        let mut sketch = Sketch::default();
        for element in elements {
            sketch.toggle(element);
        }
        sketch
    }

    #[test]
    fn the_field_has_inverses_and_the_modulus_is_irreducible() {
        for a in [1, 2, 3, 0x8000_0000, 0xdead_beef, u32::MAX] {
            assert_eq!(multiply(a, inverse(a)), 1, "{a}");
        }
        // x^(2^32) = x and x^(2^16) ≠ x: the order of the Frobenius map of `x` is 32.
        let mut power = 2;
        for step in 1..=32 {
            power = multiply(power, power);
            assert_eq!(power == 2, step == 32, "{step}");
        }
    }

    proptest! {
        #[test]
        fn up_to_eight_differences_are_found_among_any_shared_elements(
            shared in prop::collection::btree_set(1_u32.., 0..60),
            only in prop::collection::btree_set(1_u32.., 0..=8),
            split in 0_usize..=8,
        ) {
            let only: Vec<u32> = only.difference(&shared).copied().collect();
            let (left, right) = only.split_at(split.min(only.len()));
            let a = sketch(shared.iter().chain(left).copied());
            let b = sketch(shared.iter().chain(right).copied());
            let found = a.difference(b).decode().unwrap();
            prop_assert_eq!(found.len(), only.len());
            for element in &only {
                prop_assert!(found.contains(*element));
            }
            for element in &shared {
                prop_assert!(!found.contains(*element));
            }
        }

        #[test]
        fn bytes_come_back(bytes in any::<[u8; SKETCH_BYTES]>()) {
            let sketch = Sketch::from_bytes(&bytes);
            prop_assert_eq!(sketch.to_bytes(), bytes);
            // Any bytes may be presented: decoding them must not panic, and what it finds is consistent.
            if let Some(found) = sketch.decode() {
                prop_assert!(found.len() <= CAPACITY);
            }
        }
    }

    #[test]
    fn more_differences_are_recognised() {
        // One polynomial in 8! splits by chance, so of 4000 fixed sets hardly one may pass; cursors carry a count as well.
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(state >> 32).unwrap() | 1
        };
        let passed = (0..4000)
            .filter(|n| sketch((0..9 + n % 50).map(|_| next()).collect::<BTreeSet<_>>()).decode().is_some())
            .count();
        assert!(passed <= 1, "{passed}");
    }

    #[test]
    fn toggling_twice_removes() {
        let set: BTreeSet<u32> = (1..50).collect();
        assert!(sketch(set.iter().chain(&set).copied()).is_empty());
    }
}
