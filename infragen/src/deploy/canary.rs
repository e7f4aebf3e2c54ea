//! A new version that gets a share of the requests first: which functions that is about, what Terraform is told, and whether alarms
//! speak against it.

use serde_json::{Value, json};

use super::changes::Changes;
use crate::manifest::canary::Canary;

/// A function whose alias goes to another version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Its role.
    pub role: String,
    /// Its name in AWS.
    pub function: String,
    /// The version that it leaves.
    pub from: u64,
}

/// Finds the functions that a plan moves to another version; one that is made is moved from nowhere.
#[must_use]
pub fn moves(changes: &Changes) -> Vec<Move> {
    let read = |change: &super::changes::Change| {
        // The module of a function is called as its role.
        let role = change.address.strip_prefix("module.")?.split('.').next()?.to_owned();
        Some(Move { role, function: change.name.clone()?, from: change.leaves? })
    };
    changes.resources.iter().filter_map(read).collect()
}

/// What Terraform is told for the time of the canary, as an argument of its command line.
#[must_use]
pub fn variable(canary: Canary, moves: &[Move]) -> String {
    let weight = f64::from(canary.percent()) / 100.0;
    let one = |one: &Move| (one.role.clone(), json!({ "version": one.from.to_string(), "weight": weight }));
    format!("-var=canary={}", Value::Object(moves.iter().map(one).collect()))
}

/// Whether nothing but the aliases of these functions changes.
#[must_use]
pub fn is_end(changes: &Changes) -> bool {
    changes.resources.iter().all(|change| change.resource == "aws_lambda_alias" && change.leaves.is_some())
}

/// Alarms that speak against a version: those that go off and did not before.
#[must_use]
pub fn against(before: &[String], now: &[String]) -> Vec<String> {
    now.iter().filter(|alarm| !before.contains(alarm)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::changes::{Change, Kind};

    fn change(address: &str, resource: &str, leaves: Option<u64>) -> Change {
        Change {
            kind: Kind::Changed,
            address: address.into(),
            resource: resource.into(),
            name: Some("x-stream".into()),
            differences: Vec::new(),
            leaves,
        }
    }

    #[test]
    fn functions_that_go_to_another_version_get_a_share_first() {
        let alias = change("module.stream.aws_lambda_alias.live", "aws_lambda_alias", Some(3));
        let function = change("module.stream.aws_lambda_function.this", "aws_lambda_function", None);
        let changes = Changes { resources: vec![function, alias.clone()], ..Changes::default() };
        let found = moves(&changes);
        assert_eq!(found, [Move { role: "stream".into(), function: "x-stream".into(), from: 3 }]);
        let canary = Canary::new("10% for 5m").unwrap();
        assert_eq!(variable(canary, &found), r#"-var=canary={"stream":{"version":"3","weight":0.1}}"#);
        assert!(!is_end(&changes));
        assert!(is_end(&Changes { resources: vec![alias], ..Changes::default() }));
    }

    #[test]
    fn an_alarm_that_went_off_before_is_nobodys_fault() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(against(&names(&["a"]), &names(&["a"])), names(&[]));
        assert_eq!(against(&names(&["a"]), &names(&["a", "b"])), names(&["b"]));
        assert_eq!(against(&names(&[]), &names(&[])), names(&[]));
    }
}
