//! Colours as a style sheet writes them, and how well they can be told apart (WCAG 2.2).

use std::fmt;

/// A colour of the sRGB space without transparency; written as `#` and six hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// Steps from a colour to black, or to white.
const SHADES: u16 = 255;

impl Colour {
    /// Black.
    pub const BLACK: Self = Self([0; 3]);
    /// White.
    pub const WHITE: Self = Self([255; 3]);

    /// Makes a colour of red, green and blue.
    #[must_use]
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self([red, green, blue])
    }

    /// Reads `#` and six hexadecimal digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// Returns the colour that is `share` of the way to another one, 0 to 1.
    #[must_use]
    pub fn mixed(self, other: Self, share: f64) -> Self {
        let part = |at: usize| {
            let (from, to) = (f64::from(self.0[at]), f64::from(other.0[at]));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two numbers of 0 to 255"
            )]
            let mixed = (from + (to - from) * share.clamp(0.0, 1.0)).round() as u8;
            mixed
        };
        Self([part(0), part(1), part(2)])
    }

    /// Returns how much light it gives, 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let share = f64::from(part) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0[0]) + 0.7152 * linear(self.0[1]) + 0.0722 * linear(self.0[2])
    }

    /// Returns the contrast with another colour, 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Returns the ground with which it has the least contrast, and that contrast.
    #[must_use]
    pub fn worst(self, grounds: &[Self]) -> Option<(Self, f64)> {
        let all = grounds.iter().map(|ground| (*ground, self.contrast(*ground)));
        all.min_by(|(_, one), (_, two)| one.total_cmp(two))
    }

    /// Returns the nearest shade, darker or lighter, that has this contrast with every ground; none where no shade has.
    #[must_use]
    pub fn nearest(self, grounds: &[Self], contrast: f64) -> Option<Self> {
        let is_good = |shade: &Self| shade.worst(grounds).is_none_or(|(_, worst)| worst >= contrast);
        (0..=SHADES).find_map(|step| {
            let share = f64::from(step) / f64::from(SHADES);
            [Self::BLACK, Self::WHITE].map(|end| self.mixed(end, share)).into_iter().find(is_good)
        })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::read(text).unwrap()
    }

    #[test]
    fn a_colour_is_a_number_sign_and_six_digits() {
        assert_eq!(colour("#3556d8").to_string(), "#3556d8");
        assert_eq!(colour("#A0B1C2").to_string(), "#a0b1c2");
        for wrong in ["", "#", "#fff", "3556d8", "#3556d", "#3556d80", "#3556dg", "#+556d8", "red", "#ää56"] {
            assert_eq!(Colour::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn contrasts_are_those_of_the_standard() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        assert!((colour("#777777").contrast(Colour::WHITE) - 4.478).abs() < 1e-3);
        assert!((Colour::WHITE.contrast(colour("#777777")) - 4.478).abs() < 1e-3);
        assert!((colour("#123456").contrast(colour("#123456")) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_nearest_shade_has_the_contrast_and_no_nearer_one_has() {
        let (grounds, yellow) = ([Colour::WHITE, colour("#e7eaef")], colour("#ffd500"));
        let shade = yellow.nearest(&grounds, 3.0).unwrap();
        assert!(shade.worst(&grounds).unwrap().1 >= 3.0);
        let nearer = (0..=255).map(|step| yellow.mixed(Colour::BLACK, f64::from(step) / 255.0));
        let passes: Vec<Colour> = nearer.filter(|shade| shade.worst(&grounds).unwrap().1 >= 3.0).collect();
        assert_eq!(passes.first(), Some(&shade));
        assert_eq!(colour("#3556d8").nearest(&grounds, 3.0), Some(colour("#3556d8")));
        assert_eq!(
            colour("#101010").nearest(&[Colour::BLACK], 3.0).unwrap().worst(&[Colour::BLACK]).unwrap().0,
            Colour::BLACK
        );
        assert_eq!(yellow.nearest(&[Colour::BLACK, Colour::WHITE], 5.0), None);
        assert_eq!(yellow.nearest(&[], 21.0), Some(yellow));
    }
}
