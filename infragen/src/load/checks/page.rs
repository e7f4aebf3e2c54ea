//! Rules on what the page has of its owner: colours that can be seen, a picture that is one.

use super::Checks;
use crate::accent::{DARK, LIGHT, MARK_CONTRAST, Theme};
use crate::colour::Colour;
use crate::logo::Logos;

impl Checks<'_> {
    /// Checks accent and logo.
    pub(super) fn page(&self, logos: &Logos) {
        let page = &self.manifest.page;
        self.accent("page.accent", page.accent, &LIGHT);
        self.accent("page.accent_dark", page.accent_dark, &DARK);
        if let (Some(dark), None) = (page.accent_dark, page.accent) {
            self.fail(
                "accent-dark-alone",
                &["page.accent_dark", "page.accent"],
                format!("`page.accent_dark` is `{dark}`: `page.accent`, whose place it takes in the dark, is not set"),
                "set `page.accent` too, or remove `page.accent_dark`",
            );
        }
        let found = page.logo.as_ref().map(|path| (path, logos.url(path.as_str())));
        if let Some((path, Err(error))) = found {
            self.fail(
                "logo-unusable",
                &["page.logo"],
                format!("`page.logo` is `{}`: {error}", path.as_str()),
                error.hint(),
            );
        }
    }

    fn accent(&self, key: &str, accent: Option<Colour>, theme: &Theme) {
        let Some(accent) = accent else { return };
        let Some((ground, contrast, shade)) = theme.refuses(accent) else { return };
        let message = format!(
            "`{key}` is `{accent}`: it has a contrast of {contrast:.1}:1 with `{ground}`, a ground of the {} theme, and what is \
             to be seen there needs {MARK_CONTRAST:.0}:1",
            theme.name
        );
        self.fail("accent-contrast", &[key], message, &format!("write `\"{shade}\"`, its nearest shade that has it"));
    }
}
