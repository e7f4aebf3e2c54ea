//! Where a deployment is: Terraform finds nothing of it in another account or region, and would make it all a second time.

use serde_json::Value;

/// Resources that are in the deployment's own region, whatever stands before them.
const KINDS: [&str; 2] = ["aws_dynamodb_table", "aws_lambda_function"];

/// An account and a region of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Twelve digits.
    pub account: String,
    /// Such as `us-east-1`.
    pub region: String,
}

/// Why a plan is not for what runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Elsewhere {
    /// Somebody is signed in to another account.
    #[error("`{root}` is deployed in account {was}, and the credentials are of account {found}")]
    Account {
        /// Terraform's folder.
        root: String,
        /// Where it is.
        was: String,
        /// Whose the credentials are.
        found: String,
    },
    /// The manifest names another region.
    #[error("`{root}` is deployed in {was}, and `project.region` is {found}")]
    Region {
        /// Terraform's folder.
        root: String,
        /// Where it is.
        was: String,
        /// What the manifest says.
        found: String,
    },
}

impl Elsewhere {
    /// What to do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Account { .. } => {
                "sign in to that account; another account needs a state of its own: write an `[env.NAME]` for it"
            }
            Self::Region { .. } => {
                "write an `[env.NAME]` with the other region, and deploy that: what runs here would be left behind"
            }
        }
    }
}

/// Reads where the tables and functions of a plan were when Terraform saw them last; also those that it finds no more.
#[must_use]
pub fn of_plan(plan: &Value) -> Option<Place> {
    let lists = ["resource_drift", "resource_changes"].map(|key| plan.get(key).and_then(Value::as_array));
    lists.into_iter().flatten().flatten().find_map(|resource| {
        let kind = resource.get("type").and_then(Value::as_str)?;
        let arn = resource.pointer("/change/before/arn").and_then(Value::as_str)?;
        KINDS.contains(&kind).then(|| of_arn(arn)).flatten()
    })
}

/// `arn:aws:dynamodb:us-east-1:123456789012:table/items`
fn of_arn(arn: &str) -> Option<Place> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, _, region, account, _] = parts[..] else { return None };
    let is_known = !region.is_empty() && !account.is_empty();
    is_known.then(|| Place { account: account.to_owned(), region: region.to_owned() })
}

/// Compares where a root is deployed with where it would go; an account that nobody knows is left to AWS.
///
/// # Errors
/// [`Elsewhere`].
pub fn check(root: &str, was: &Place, account: Option<&str>, region: &str) -> Result<(), Elsewhere> {
    let root = root.to_owned();
    match account {
        Some(found) if found != was.account => {
            Err(Elsewhere::Account { root, was: was.account.clone(), found: found.to_owned() })
        }
        _ if region != was.region => Err(Elsewhere::Region { root, was: was.region.clone(), found: region.to_owned() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/items";

    fn resource(kind: &str, arn: &str) -> Value {
        json!({ "type": kind, "change": { "before": { "arn": arn } } })
    }

    #[test]
    fn what_is_remembered_and_gone_says_where_it_was() {
        let found = |plan: Value| of_plan(&plan).map(|place| (place.account, place.region));
        let place = Some(("123456789012".to_owned(), "us-east-1".to_owned()));
        assert_eq!(found(json!({ "resource_drift": [resource("aws_dynamodb_table", ARN)] })), place);
        assert_eq!(found(json!({ "resource_changes": [resource("aws_dynamodb_table", ARN)] })), place);
        // A certificate of CloudFront is in one region only, and a role in none.
        assert_eq!(found(json!({ "resource_changes": [resource("aws_acm_certificate", ARN)] })), None);
        assert_eq!(
            found(json!({ "resource_changes": [resource("aws_lambda_function", "arn:aws:iam::1:role/x")] })),
            None
        );
        assert_eq!(
            found(json!({ "resource_changes": [{ "type": "aws_dynamodb_table", "change": { "before": null } }] })),
            None
        );
        assert_eq!(found(json!({})), None);
    }

    #[test]
    fn another_account_and_another_region_are_refused() {
        let was = Place { account: "123456789012".into(), region: "us-east-1".into() };
        let check = |account, region| check("root", &was, account, region).map_err(|error| error.to_string());
        assert_eq!(check(Some("123456789012"), "us-east-1"), Ok(()));
        assert_eq!(check(None, "us-east-1"), Ok(()));
        let other = "`root` is deployed in account 123456789012, and the credentials are of account 210987654321";
        assert_eq!(check(Some("210987654321"), "us-east-1"), Err(other.to_owned()));
        let far = "`root` is deployed in us-east-1, and `project.region` is eu-west-1";
        assert_eq!(check(None, "eu-west-1"), Err(far.to_owned()));
        assert_eq!(check(Some("123456789012"), "eu-west-1"), Err(far.to_owned()));
    }
}
