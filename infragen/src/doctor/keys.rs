//! The key of KMS of a table that exists already: whether it is the one that the manifest names, which the functions may use.

use serde_json::Value;

use super::aws::command;
use super::{Check, Ran};
use crate::described::Described;
use crate::manifest::Manifest;
use crate::manifest::sections::TableSection;
use crate::manifest::tree::shorten;
use crate::plan::table_key;

/// One of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The analysed items.
    Items,
    /// Users and their configurations.
    Users,
}

impl Role {
    const fn check(self) -> &'static str {
        match self {
            Self::Items => "table-key",
            Self::Users => "users-table-key",
        }
    }

    const fn section(self) -> &'static str {
        match self {
            Self::Items => "tables.items",
            Self::Users => "tables.users",
        }
    }

    const fn of(self, manifest: &Manifest) -> &TableSection {
        match self {
            Self::Items => &manifest.tables.items,
            Self::Users => &manifest.tables.users,
        }
    }
}

/// Judges what `describe-table` said of a table's key. None where neither side has one, or the table was not described. `ask`
/// runs a command of AWS.
#[must_use]
pub fn judge(
    manifest: &Manifest,
    role: Role,
    name: &str,
    described: &Ran,
    ask: &dyn Fn(Vec<String>) -> Ran,
) -> Option<Check> {
    let Ran::Done(stdout) = described else { return None };
    let table = Described::read(stdout)?;
    let wanted = table_key(&manifest.aws.kms, role.of(manifest));
    match (table.kms_key(), wanted) {
        (None, None) => None,
        (Some(found), Some(wanted)) if found == wanted => {
            Some(Check::ok(role.check(), format!("`{name}`: `{wanted}`")))
        }
        (Some(found), None) => Some(unnamed(manifest, role, name, found, ask)),
        (found, Some(wanted)) => Some(different(manifest, role, name, found, &wanted)),
    }
}

/// The table has a key, and the manifest names none.
fn unnamed(manifest: &Manifest, role: Role, name: &str, found: &str, ask: &dyn Fn(Vec<String>) -> Ran) -> Check {
    // Its own key AWS lets everybody of the account use through DynamoDB, and `describe-table` does not say whose one is.
    let answer = ask(command(manifest, &["kms", "describe-key", "--key-id", found]));
    if let Ran::Done(answer) = &answer {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        if answer.pointer("/KeyMetadata/KeyManager").and_then(Value::as_str) == Some("AWS") {
            return Check::ok(
                role.check(),
                format!("`{name}`: `aws/dynamodb`, the key that AWS keeps for the account"),
            );
        }
    }
    let found = shorten(found);
    let said =
        format!("`{name}` is encrypted with `{found}`, which the functions are not allowed to use: no row is read");
    Check::missing(role.check(), said, set(role, &found))
}

/// The manifest names a key that the table does not have.
fn different(manifest: &Manifest, role: Role, name: &str, found: Option<&str>, wanted: &str) -> Check {
    let section = role.of(manifest);
    let found = found.map(shorten);
    let has = found.as_ref().map_or_else(|| "a key of DynamoDB's own".to_owned(), |found| format!("`{found}`"));
    let said = format!("`{name}` is encrypted with {has}; the manifest says `{wanted}`");
    if section.create {
        // It is taken over: the apply gives it the key of the manifest.
        let next = match &found {
            Some(found) => format!("nothing if the apply is to give it that key; else {}", set(role, found)),
            None => "nothing if the apply is to give it that key; else take it out of the manifest".to_owned(),
        };
        return Check::unknown(role.check(), said, next);
    }
    let next = match &found {
        Some(found) => set(role, found),
        None => format!("remove `kms_key_arn` from [{}]", role.section()),
    };
    Check::missing(role.check(), said, next)
}

fn set(role: Role, arn: &str) -> String {
    format!("set `kms_key_arn = {}` in [{}]", toml::Value::from(arn), role.section())
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::aws::tests::loaded;
    use super::*;

    const ONE: &str = "arn:aws:kms:us-east-1:123456789012:key/11111111-0000-1111-2222-333344445555";
    const TWO: &str = "arn:aws:kms:us-east-1:123456789012:key/22222222-0000-1111-2222-333344445555";

    /// How a table with this key comes out against these lines of `[tables.ROLE]`, where KMS answers so.
    fn check(role: Role, lines: &str, key: Option<&str>, answer: &Ran) -> Option<(Status, String, String)> {
        let sse = key.map(|arn| serde_json::json!({ "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": arn }));
        let table = serde_json::json!({ "Table": { "TableName": "orders", "SSEDescription": sse } });
        let loaded = loaded(&format!("[{}]\nname = \"orders\"\n{lines}\n", role.section()));
        let found = judge(&loaded.manifest, role, "orders", &Ran::Done(table.to_string()), &|_| answer.clone())?;
        Some((found.status, found.found, found.next.unwrap_or_default()))
    }

    #[test]
    fn a_table_whose_key_the_manifest_does_not_name_is_not_ok() {
        let denied = Ran::Failed("AccessDeniedException".to_owned());
        for role in [Role::Items, Role::Users] {
            let (status, said, next) = check(role, "create = false", Some(ONE), &denied).unwrap();
            assert_eq!(status, Status::Missing);
            assert!(said.contains(ONE) && said.contains("not allowed"), "{said}");
            assert_eq!(next, format!("set `kms_key_arn = \"{ONE}\"` in [{}]", role.section()));
            // A table that is taken over keeps its key, too, and the functions are not let in.
            assert_eq!(check(role, "import = true", Some(ONE), &denied).unwrap().0, Status::Missing);
        }
        let theirs = Ran::Done("{\"KeyMetadata\": {\"KeyManager\": \"AWS\"}}".to_owned());
        assert_eq!(check(Role::Items, "create = false", Some(ONE), &theirs).unwrap().0, Status::Ok);
        let ours = Ran::Done("{\"KeyMetadata\": {\"KeyManager\": \"CUSTOMER\"}}".to_owned());
        assert_eq!(check(Role::Items, "create = false", Some(ONE), &ours).unwrap().0, Status::Missing);
    }

    #[test]
    fn a_key_that_the_table_does_not_have_is_not_ok() {
        let named = format!("create = false\nkms_key_arn = \"{ONE}\"");
        let judged = |key| check(Role::Items, &named, key, &Ran::Absent).unwrap();
        assert_eq!(judged(Some(ONE)), (Status::Ok, format!("`orders`: `{ONE}`"), String::new()));
        let (status, said, next) = judged(Some(TWO));
        assert_eq!(status, Status::Missing);
        assert_eq!(said, format!("`orders` is encrypted with `{TWO}`; the manifest says `{ONE}`"));
        assert_eq!(next, format!("set `kms_key_arn = \"{TWO}\"` in [tables.items]"));
        let (status, _, next) = judged(None);
        assert_eq!((status, next.as_str()), (Status::Missing, "remove `kms_key_arn` from [tables.items]"));
        // One that is taken over gets the key that the manifest names, also from `[aws.kms]`.
        let shared = format!("import = true\n[aws.kms]\nkey_arn = \"{ONE}\"");
        assert_eq!(check(Role::Items, &shared, Some(TWO), &Ran::Absent).unwrap().0, Status::Unknown);
        assert_eq!(check(Role::Items, &shared, None, &Ran::Absent).unwrap().0, Status::Unknown);
    }

    #[test]
    fn nothing_is_said_where_there_is_no_key() {
        assert_eq!(check(Role::Items, "create = false", None, &Ran::Absent), None);
        assert_eq!(judge(&loaded("").manifest, Role::Items, "orders", &Ran::Absent, &|_| Ran::Absent), None);
    }
}
