//! Programs that stand on a PATH in the place of others, or are named as they are.

use std::path::Path;

use super::bins;
use super::terraform::TERRAFORM;
use crate::support::script::script;

/// What compiles in the place of tools/programs.sh, at once: a program is a header of the ELF format. `first` is done before.
pub(super) fn compiler(path: &Path, first: &str) {
    script(
        path,
        &format!(
            "{first}\nmkdir -p built\n[ \"$1\" = arm64 ] && machine='\\267' || machine='\\76'\nshift 2\n\
             for name in \"$@\"; do {{ printf '\\177ELF\\2\\1'; head -c 12 /dev/zero; printf \"$machine\"; head -c 45 /dev/zero; }} \
             >\"built/$name\"; echo \"$PWD/built/$name\"; done"
        ),
    );
}

/// The generator, which scripts ask cargo for: `cargo run -q --locked -p infragen --`.
pub(super) fn cargo(folder: &Path) {
    script(&folder.join("cargo"), &format!("shift 6\nexec '{}' \"$@\"", bins::path("infragen").display()));
}

/// The real Terraform.
pub(super) fn terraform(folder: &Path) {
    std::os::unix::fs::symlink(TERRAFORM, folder.join("terraform")).unwrap();
}

/// What a Terraform of a version that will do says of it, and what it does otherwise: cases of the shell, by its arguments.
pub(super) fn good_terraform(otherwise: &str) -> String {
    format!("case \"$*\" in *version*) echo '{{\"terraform_version\": \"1.11.4\"}}' ;;\n{otherwise}\nesac")
}
