//! The page's accent: which colours follow from the one that a manifest names, and what they must be told apart from.

use contract::page::{PageAccent, ThemeColours};

use crate::colour::Colour;

/// Least contrast of lines, marks and outlines with what is around them (WCAG 2.2, 1.4.11).
pub const MARK_CONTRAST: f64 = 3.0;
/// Least contrast of text with what it is on (WCAG 2.2, 1.4.3).
pub const TEXT_CONTRAST: f64 = 4.5;

/// Share of the accent in the ground of what is chosen or new: in the dark more of it is needed to be seen.
const FLASH_SHARES: [f64; 2] = [0.12, 0.22];

/// The grounds of a theme, as frontend/css/app.css has them: the page, what lies on it, and what is sunk into that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// What it is called.
    pub name: &'static str,
    /// `--page`, `--surface` and `--sunken`.
    pub grounds: [Colour; 3],
}

/// The light theme.
pub const LIGHT: Theme = Theme {
    name: "light",
    grounds: [Colour::new(0xf4, 0xf5, 0xf8), Colour::new(0xff, 0xff, 0xff), Colour::new(0xe7, 0xea, 0xef)],
};
/// The dark theme.
pub const DARK: Theme = Theme {
    name: "dark",
    grounds: [Colour::new(0x0d, 0x10, 0x15), Colour::new(0x15, 0x1a, 0x21), Colour::new(0x1f, 0x26, 0x2f)],
};

impl Theme {
    const fn surface(&self) -> Colour {
        self.grounds[1]
    }

    /// Returns the ground that a colour is too near to, the contrast with it, and the nearest shade that is far enough from all;
    /// none where marks of this colour can be seen.
    #[must_use]
    pub fn refuses(&self, accent: Colour) -> Option<(Colour, f64, Colour)> {
        let (ground, contrast) = accent.worst(&self.grounds)?;
        if contrast >= MARK_CONTRAST {
            return None;
        }
        Some((ground, contrast, self.shade(accent)))
    }

    /// Returns the nearest shade whose marks can be seen.
    #[must_use]
    pub fn shade(&self, accent: Colour) -> Colour {
        accent
            .nearest(&self.grounds, MARK_CONTRAST)
            .expect("black or white has seven to one with every ground of a theme")
    }

    fn flash(&self, accent: Colour, share: f64) -> Colour {
        self.surface().mixed(accent, share)
    }

    /// Returns the nearest shade that can be read, on what is chosen too.
    fn text(&self, accent: Colour, share: f64) -> Colour {
        let grounds = [&self.grounds[..2], &[self.flash(accent, share)]].concat();
        accent.nearest(&grounds, TEXT_CONTRAST).unwrap_or(if self == &LIGHT { Colour::BLACK } else { Colour::WHITE })
    }
}

/// Returns the colours that follow from an accent in the light theme and one in the dark theme; of the light one's shades that which
/// can be seen, where there is no other.
#[must_use]
pub fn colours(light: Colour, dark: Option<Colour>) -> PageAccent {
    let dark = dark.unwrap_or_else(|| DARK.shade(light));
    let both = |light: Colour, dark: Colour| -> ThemeColours { [light.to_string(), dark.to_string()] };
    let [light_share, dark_share] = FLASH_SHARES;
    let text = LIGHT.text(light, light_share);
    // White can be read on what can be read on white, in either theme.
    PageAccent {
        accent: both(light, dark),
        accent_text: both(text, DARK.text(dark, dark_share)),
        primary: both(text, text),
        flash: both(LIGHT.flash(light, light_share), DARK.flash(dark, dark_share)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLES: &str = include_str!("../../frontend/css/app.css");

    fn read(text: &str) -> Colour {
        Colour::read(text).unwrap()
    }

    #[test]
    fn the_grounds_are_those_of_the_page() {
        for (index, name) in ["page", "surface", "sunken"].into_iter().enumerate() {
            let line = format!("  --{name}: light-dark({}, {});", LIGHT.grounds[index], DARK.grounds[index]);
            assert!(STYLES.contains(&line), "app.css has no `{line}`");
        }
    }

    #[test]
    fn an_accent_is_refused_where_its_marks_cannot_be_seen_and_the_nearest_shade_is_named() {
        let (ground, contrast, shade) = LIGHT.refuses(read("#ffd500")).unwrap();
        assert_eq!(ground.to_string(), "#e7eaef");
        assert!((1.0..MARK_CONTRAST).contains(&contrast));
        assert_eq!(LIGHT.refuses(shade), None);
        assert_eq!(LIGHT.refuses(read("#3556d8")), None);
        assert!(DARK.refuses(read("#101080")).is_some());
        assert_eq!(DARK.refuses(read("#8aa2ff")), None);
    }

    #[test]
    fn whatever_the_accent_is_all_that_follows_can_be_seen_and_read() {
        let steps = [0, 51, 102, 153, 204, 255];
        for index in 0..steps.len().pow(3) {
            let part = |place: u32| steps[index / steps.len().pow(place) % steps.len()];
            let light = LIGHT.shade(Colour::new(part(0), part(1), part(2)));
            let made = colours(light, None);
            let of = |pair: &ThemeColours| [read(&pair[0]), read(&pair[1])];
            let (marks, texts, primary, flash) =
                (of(&made.accent), of(&made.accent_text), of(&made.primary), of(&made.flash));
            for (index, theme) in [LIGHT, DARK].into_iter().enumerate() {
                assert_eq!(theme.refuses(marks[index]), None, "{made:?}");
                for ground in [theme.grounds[0], theme.grounds[1], flash[index]] {
                    assert!(texts[index].contrast(ground) >= TEXT_CONTRAST, "{made:?} on {ground}");
                }
                assert!(primary[index].contrast(Colour::WHITE) >= TEXT_CONTRAST, "{made:?}");
            }
        }
    }

    #[test]
    fn a_dark_accent_of_ones_own_stays_as_it_is() {
        let made = colours(read("#aa0000"), Some(read("#ff8888")));
        assert_eq!(made.accent, ["#aa0000", "#ff8888"]);
        assert_eq!(made.primary[0], made.primary[1]);
    }
}
