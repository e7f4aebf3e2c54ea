//! The module of one Lambda function: files that lie in templates/ as Terraform reads them, and are rendered as they are. What
//! only newer providers can express is a file of its own, in a folder that is named after the first of them.

use crate::plan::Plan;

macro_rules! file {
    ($name:literal) => {
        file!($name from "")
    };
    ($name:literal from $folder:literal) => {
        ($name, include_str!(concat!("../../../templates/terraform/modules/lambda/", $folder, $name)))
    };
}

/// Name and text.
type File = (&'static str, &'static str);

/// The same for every manifest.
const ALWAYS: [File; 7] = [
    file!("function.tf"),
    file!("iam.tf"),
    file!("outputs.tf"),
    file!("rest_api.tf"),
    file!("url.tf"),
    file!("variables.tf"),
    file!("versions.tf"),
];
/// The second permission of a URL.
const PERMISSION: File = file!("function_permission.tf");
const PERMISSION_SINCE_6_28: File = file!("function_permission.tf" from "since_6_28/");
/// Managed instances: an input, and what Terraform merges into the function.
const INSTANCES: [File; 2] =
    [file!("instances.tf" from "since_6_24/"), file!("instances_override.tf" from "since_6_24/")];

/// Returns the files that a plan needs.
pub(super) fn files(plan: &Plan) -> impl Iterator<Item = File> {
    let permission = if plan.has_invoked_via_function_url { PERMISSION_SINCE_6_28 } else { PERMISSION };
    let instances = plan.instances.iter().flat_map(|_| INSTANCES);
    ALWAYS.into_iter().chain([permission]).chain(instances)
}
