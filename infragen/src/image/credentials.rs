//! Who pushes: what `docker login`, `podman login` and their helpers have left in a file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Who one is to a registry.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Name of the user.
    pub user: String,
    /// Password, or a token in its place.
    pub password: String,
}

impl Login {
    /// The value of the header `Authorization`.
    #[must_use]
    pub fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }
}

impl std::fmt::Debug for Login {
    /// Without the password: this ends up in messages.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Where the credentials of a registry are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Nowhere.
    Nothing,
    /// In the file itself.
    Login(Login),
    /// Kept by the program `docker-credential-NAME`.
    Helper(String),
}

/// Why a file with credentials says nothing.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// It is no JSON.
    #[error("it is no JSON")]
    Json(#[from] serde_json::Error),
    /// An entry is no user and password.
    #[error("its `auth` of `{0}` is no base64 of USER:PASSWORD")]
    Auth(String),
    /// A helper has the name of no program.
    #[error("`{0}` is no name of a credential helper")]
    HelperName(String),
}

/// Looks a registry up in the text of `config.json`. A helper for this registry goes before the entry, and the entry before the
/// helper for all, because that is what was written last where both are there.
///
/// # Errors
/// [`CredentialsError`].
pub fn find(config: &str, host: &str) -> Result<Stored, CredentialsError> {
    let config: Value = serde_json::from_str(config)?;
    if let Some(helper) = config["credHelpers"][host].as_str() {
        return helper_of(helper);
    }
    let entries = config["auths"].as_object();
    let is_host = |key: &str| {
        let plain = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
        plain.split('/').next() == Some(host)
    };
    // The key that is the host itself goes before one with a path behind it.
    let entry = entries
        .and_then(|all| all.get(host).or_else(|| all.iter().find(|(key, _)| is_host(key)).map(|(_, entry)| entry)));
    if let Some(login) = entry.map(|entry| login(entry, host)).transpose()?.flatten() {
        return Ok(Stored::Login(login));
    }
    match config["credsStore"].as_str() {
        Some(helper) if !helper.is_empty() => helper_of(helper),
        _ => Ok(Stored::Nothing),
    }
}

fn helper_of(name: &str) -> Result<Stored, CredentialsError> {
    // It becomes the name of a program that is run.
    let is_good = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if is_good {
        Ok(Stored::Helper(name.to_owned()))
    } else {
        Err(CredentialsError::HelperName(name.escape_debug().to_string()))
    }
}

/// An entry may be empty: then a helper has the credentials.
fn login(entry: &Value, host: &str) -> Result<Option<Login>, CredentialsError> {
    if let (Some(user), Some(password)) = (entry["username"].as_str(), entry["password"].as_str()) {
        return Ok(Some(Login { user: user.to_owned(), password: password.to_owned() }));
    }
    let Some(auth) = entry["auth"].as_str().filter(|auth| !auth.is_empty()) else { return Ok(None) };
    let bad = || CredentialsError::Auth(host.to_owned());
    let bytes = STANDARD.decode(auth).map_err(|_| bad())?;
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    let (user, password) = text.split_once(':').ok_or_else(bad)?;
    // Docker ends the password with a zero byte.
    Ok(Some(Login { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() }))
}

/// Reads what a helper answers: JSON with `Username` and `Secret`.
#[must_use]
pub fn from_helper(answer: &str) -> Option<Login> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    Some(Login { user: answer["Username"].as_str()?.to_owned(), password: answer["Secret"].as_str()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login_of(user: &str, password: &str) -> Stored {
        Stored::Login(Login { user: user.into(), password: password.into() })
    }

    #[test]
    fn credentials_are_found_where_engines_leave_them() {
        let auth = STANDARD.encode("ann:pass:word");
        let config = format!(
            r#"{{"auths": {{"a.example:5000": {{"auth": "{auth}"}}, "https://b.example/v1/": {{"username": "bob", "password": "x"}},
                "c.example": {{}}}}, "credHelpers": {{"d.example": "ecr-login"}}, "credsStore": "desktop"}}"#
        );
        let check = |host: &str, expected: Stored| assert_eq!(find(&config, host).unwrap(), expected, "{host}");
        check("a.example:5000", login_of("ann", "pass:word"));
        check("b.example", login_of("bob", "x"));
        check("c.example", Stored::Helper("desktop".into()));
        check("d.example", Stored::Helper("ecr-login".into()));
        check("e.example", Stored::Helper("desktop".into()));
        assert_eq!(find("{}", "a.example").unwrap(), Stored::Nothing);
        assert_eq!(find(r#"{"auths": []}"#, "a.example").unwrap(), Stored::Nothing);
    }

    #[test]
    fn what_is_wrong_with_the_file_is_said() {
        let message = |config: &str| find(config, "a.example").unwrap_err().to_string();
        assert_eq!(message("{"), "it is no JSON");
        let auth = |auth: &str| format!(r#"{{"auths": {{"a.example": {{"auth": "{auth}"}}}}}}"#);
        for bad in ["%%%".to_owned(), STANDARD.encode("no colon"), STANDARD.encode([0xff, b':'])] {
            assert_eq!(message(&auth(&bad)), "its `auth` of `a.example` is no base64 of USER:PASSWORD");
        }
        assert!(message(r#"{"credsStore": "../evil"}"#).contains("is no name of a credential helper"));
    }

    #[test]
    fn a_helpers_answer_is_a_login_and_no_password_is_printed() {
        let login = from_helper(r#"{"ServerURL": "x", "Username": "ann", "Secret": "pw"}"#).unwrap();
        assert_eq!(login.basic(), format!("Basic {}", STANDARD.encode("ann:pw")));
        assert_eq!(format!("{login:?}"), "Login { user: \"ann\", .. }");
        assert_eq!(from_helper("credentials not found"), None);
    }
}
