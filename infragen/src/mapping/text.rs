//! A manifest's text with the keys that were found.

/// A key of the manifest and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Table of the manifest, such as `data.attributes`.
    pub section: &'static str,
    /// Key in it.
    pub key: &'static str,
    /// Its value.
    pub value: toml::Value,
}

/// What a manifest without comments begins with.
const HEAD: &str = "# What to deploy, and how. Keys that are not here have their defaults: `infragen explain TABLE` says which there are, `infragen show`\n\
                    # what they are, and `infragen init` without `--minimal` writes them all.\n";
/// Tables in the order of the manifest.
const SECTIONS: [&str; 5] = ["project", "tables.items", "data", "data.attributes", "output"];

/// The whole manifest, commented, with these values in it; keys that stand there as comments come to life.
#[must_use]
pub fn filled(default: &str, settings: &[Setting]) -> String {
    let (mut text, mut section) = (String::with_capacity(default.len()), "");
    for line in default.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.trim_end().strip_suffix(']')) {
            section = name;
        }
        let is_it = |setting: &&Setting| {
            let rest = line.strip_prefix("# ").unwrap_or(line).strip_prefix(setting.key);
            setting.section == section && rest.is_some_and(|rest| rest.starts_with(" = "))
        };
        match settings.iter().find(is_it) {
            Some(setting) => text.push_str(&format!("{} = {}\n", setting.key, setting.value)),
            None => text.push_str(line),
        }
    }
    text
}

/// A manifest of these keys and what a project is called, without those that are as the default has them.
#[must_use]
pub fn minimal(default: &str, settings: &[Setting]) -> String {
    let defaults: toml::Table = toml::from_str(default).unwrap_or_default();
    let of = |section: &str, key: &str| {
        let table = section.split('.').try_fold(&defaults, |at, step| at.get(step)?.as_table());
        table.and_then(|table| table.get(key)).cloned()
    };
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        let mut lines = Vec::new();
        if section == "project" {
            for key in ["name", "environment", "region"] {
                let found = settings.iter().find(|one| one.section == section && one.key == key);
                lines.extend(found.map(|one| one.value.clone()).or_else(|| of(section, key)).map(|value| (key, value)));
            }
        } else {
            let found = settings.iter().filter(|one| one.section == section);
            let others = found.filter(|one| of(section, one.key).as_ref() != Some(&one.value));
            lines.extend(others.map(|one| (one.key, one.value.clone())));
        }
        if !lines.is_empty() {
            text.push_str(&format!("\n[{section}]\n"));
            text.extend(lines.iter().map(|(key, value)| format!("{key} = {value}\n")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = "[project]\nname = \"a\"\nenvironment = \"dev\"\nregion = \"r\"\n# Zone.\n[data]\nindex = \"i\"\n# time_zone = \"UTC\"\n[data.attributes]\nkey = \"k\"\nindex = \"x\"\n";

    fn setting(section: &'static str, key: &'static str, value: impl Into<toml::Value>) -> Setting {
        Setting { section, key, value: value.into() }
    }

    #[test]
    fn a_key_is_found_in_its_own_table_and_comes_to_life() {
        let settings = [setting("data", "index", "j"), setting("data", "time_zone", "+01:00")];
        let expected = DEFAULT
            .replace("index = \"i\"", "index = \"j\"")
            .replace("# time_zone = \"UTC\"", "time_zone = \"+01:00\"");
        assert_eq!(filled(DEFAULT, &settings), expected);
    }

    #[test]
    fn a_small_one_has_what_is_not_as_the_default() {
        let settings = [
            setting("data", "index", "i"),
            setting("data.attributes", "key", "pk"),
            setting("project", "region", "eu"),
        ];
        let expected =
            "\n[project]\nname = \"a\"\nenvironment = \"dev\"\nregion = \"eu\"\n\n[data.attributes]\nkey = \"pk\"\n";
        assert_eq!(minimal(DEFAULT, &settings), format!("{HEAD}{expected}"));
    }
}
