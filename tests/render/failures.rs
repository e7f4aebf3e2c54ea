//! What stands in the way of a deployment, a row each: one sentence, the next step, the exit code, and nothing half-written. The AWS
//! command line is the real one where it has something to say; an account and a region that are not the deployment's are in
//! `switches.rs`, what a registry may do is in `tests/image`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Signal, kill_process_group};
use tempfile::TempDir;

use super::account::Account;
use super::deploy::once_said;
use super::programs::good_terraform;
use super::{Project, bins};
use crate::image::noise;
use crate::support::nursery;
use crate::support::script::script;

/// Says by a file that it has begun, and waits. No `sleep` of a shell: dash forgets a Ctrl-C that comes while it starts a program, until that
/// one has ended.
const WAITS: &str = "exec python3 -c 'import signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL); open(\"begun\", \"w\"); time.sleep(600)'";

/// A project, and the only programs beside the system's.
struct Machine {
    project: Project,
    programs: TempDir,
}

impl Machine {
    fn new(manifest: &str) -> Self {
        let machine = Self { project: Project::new(manifest), programs: tempfile::tempdir().unwrap() };
        machine.project.run(&["render"]).done();
        machine.program("terraform", &good_terraform(""));
        machine
    }

    fn program(&self, name: &str, text: &str) {
        script(&self.programs.path().join(name), text);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(bins::path("infragen"));
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.programs.path().display());
        command.args(arguments).current_dir(self.project.path()).env_clear().env("PATH", path);
        command.env("HOME", self.programs.path()).env("AWS_EC2_METADATA_DISABLED", "true").stdin(Stdio::null());
        command
    }
}

/// An AWS that answers everything with one error, in the words of its query protocol.
fn refusing(code: &'static str, message: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 16 * 1024];
            let body = format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
            );
            let head = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            // One that breaks is the client's business.
            client.read(&mut request).and_then(|_| client.write_all((head + &body).as_bytes())).ok();
        }
    });
    address
}

#[test]
fn credentials_that_aws_does_not_take_are_said_before_anything_happens() {
    let machine = Machine::new("");
    nursery::aws(machine.programs.path());
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()), ("AWS_SECRET_ACCESS_KEY", "none".to_owned())];
    let refused = |code, message| {
        let endpoint = ("AWS_ENDPOINT_URL", format!("http://{}", refusing(code, message)));
        keys.iter().cloned().chain([endpoint]).collect::<Vec<_>>()
    };
    let before = machine.project.files();
    for (what, environment, said) in [
        ("none", vec![], "Unable to locate credentials"),
        (
            "another profile",
            vec![("AWS_PROFILE", "nobody".to_owned())],
            "The config profile (nobody) could not be found",
        ),
        (
            "wrong",
            refused("InvalidClientTokenId", "The security token included in the request is invalid."),
            "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity",
        ),
        (
            "a wrong secret",
            refused("SignatureDoesNotMatch", "The request signature we calculated does not match."),
            "An error occurred (SignatureDoesNotMatch)",
        ),
        (
            "expired",
            refused("ExpiredToken", "The security token included in the request is expired"),
            "An error occurred (ExpiredToken) when calling the GetCallerIdentity",
        ),
        (
            "no way to AWS",
            keys.iter().cloned().chain([("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned())]).collect(),
            "Could not connect to the endpoint URL",
        ),
    ] {
        let output = machine.command(&["deploy", "--yes"]).envs(environment).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}: {text}");
        assert!(text.contains(&format!("`aws` failed: {said}")), "{what}: {text}");
        assert!(text.contains("aws sso login"), "{what}: a next step: {text}");
        assert!(!text.contains("[2/"), "{what}: {text}");
        assert_eq!(machine.project.files(), before, "{what}");
    }
}

#[test]
fn ctrl_c_in_any_step_is_heard() {
    // A server that takes a connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let text =
        format!("[dashboard]\npackage = \"image\"\n[page]\nsse_base_url = \"{url}\"\napi_base_url = \"{url}\"\n");
    let identity = "echo '{\"Account\": \"123456789012\", \"Arn\": \"arn\"}'";
    let good = good_terraform("*output*) echo '{}' ;;");
    let waiting = |on: &str| good_terraform(&format!("*\\ {on}*) {WAITS} ;;"));
    let plan =
        "{\"resource_changes\": [{\"address\": \"a\", \"type\": \"a\", \"change\": {\"actions\": [\"create\"]}}]}";
    // While something is made it is waited for.
    let applying = good_terraform(&format!(
        "*\\ apply*) touch begun; while [ ! -e stop ]; do sleep 0.05; done ;;\n*\\ show*) echo '{plan}' ;;\n*\\ plan*) exit 2 ;;"
    ));
    for (step, program, text_of_program, said, told) in [
        ("check", "aws", WAITS, "check: ", "stopped in `check`: nothing is changed"),
        (
            "bootstrap",
            "aws",
            &format!("case $1 in ecr) {WAITS} ;; *) echo '{{}}' ;; esac"),
            "bootstrap: ",
            "stopped in `bootstrap`: nothing is changed",
        ),
        ("package", "justw", &format!("[ $1 = image ] || {WAITS}"), "package: ", "justw package`"),
        ("push", "justw", &format!("[ $1 = package ] || {WAITS}"), "push: ", "justw image`"),
        ("init", "terraform", &waiting("init"), "plan: ", "stopped in `terraform -chdir=generated/terraform init`"),
        ("plan", "terraform", &waiting("plan"), "plan: ", "stopped in `terraform -chdir=generated/terraform "),
        ("apply", "terraform", &applying, "apply: ", "stopped after `apply`"),
        (
            "smoke",
            "terraform",
            &good_terraform("*output*) touch begun; echo '{}' ;;"),
            "smoke: ",
            "stopped in `smoke`: everything is applied, and was not looked at",
        ),
    ] {
        let machine = Machine::new(&text);
        machine.program("terraform", &good);
        machine.program("aws", identity);
        script(&machine.project.path().join("justw"), "");
        match program {
            "justw" => script(&machine.project.path().join("justw"), text_of_program),
            _ => machine.program(program, text_of_program),
        }
        let before = machine.project.files();
        let path = |name: &str| machine.project.path().join(name);
        let (code, all) = once_said(machine.command(&["deploy", "--yes"]), said, |group| {
            while !path("begun").exists() {
                std::thread::sleep(Duration::from_millis(10));
            }
            kill_process_group(group, Signal::INT).unwrap();
            // What is waited for ends only after that.
            std::fs::write(path("stop"), "").unwrap();
        });
        assert_eq!(code, Some(130), "{step}: {all}");
        assert_eq!(all.matches("error: ").count(), 1, "{step}: {all}");
        assert!(all.contains(told), "{step}: {all}");
        assert!(all.contains("\n hint: run the same command again to go on"), "{step}: {all}");
        let mut after = machine.project.files();
        after.retain(|(name, _)| name != "stop" && name != "begun");
        assert_eq!(after, before, "{step}");
    }
}

/// What a folder of one's own takes that is mounted for a few lines of a shell.
fn unshare(lines: &str) -> Vec<&str> {
    let user: &[&str] = if rustix::process::getuid().is_root() { &[] } else { &["--map-root-user"] };
    [user, &["--mount", "sh", "-c", lines]].concat()
}

/// Runs shell lines on a disk of so many kilobytes that is there for them alone, in a folder that begins empty.
fn on_a_disk_of(kilobytes: usize, folder: &Path, lines: &str) -> String {
    let mount = format!("set -u; mount -t tmpfs -o size={kilobytes}k tmpfs \"$0\"; cd \"$0\"; {lines}");
    let mut command = Command::new("unshare");
    command.args(unshare(&mount)).arg(folder);
    let output = command.env("INFRAGEN", bins::path("infragen")).output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn a_full_disk_leaves_nothing_half_written_and_the_same_command_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let program = folder.path().join("program");
    std::fs::write(&program, noise("arm64", 400_000)).unwrap();
    let program = program.display();
    for (what, command, made) in [
        ("render", "\"$INFRAGEN\" render".to_owned(), "generated/terraform/stream.tf"),
        (
            "image",
            format!("\"$INFRAGEN\" image build --function stream --program '{program}'"),
            "dist/images/stream/index.json",
        ),
        ("zip", format!("\"$INFRAGEN\" package --function stream --program '{program}'"), "dist/stream.zip"),
    ] {
        let lines = format!(
            "echo '[stream]' >deploy.toml; {command}; echo \"code $?\"; find . \\( -name '*.tmp' -o -name '*.new' -o -name '{}' \\)\n\
             mount -o remount,size=8m \"$0\"; {command} >/dev/null 2>&1; echo \"again $?\"; ls '{made}'",
            Path::new(made).file_name().unwrap().display(),
        );
        let said = on_a_disk_of(20, &disk, &lines);
        assert!(said.contains("No space left on device"), "{what}: {said}");
        assert_eq!(said.matches("error: ").count(), 1, "{what}: {said}");
        assert!(said.contains("code 1\n"), "{what}: {said}");
        assert!(said.contains(&format!("again 0\n{made}\n")), "{what}: {said}");
        assert!(!said.contains("\n./"), "{what}: something half-written: {said}");
    }
}

#[test]
fn ctrl_c_in_the_middle_of_packing_leaves_nothing() {
    for (command, made) in [
        (["image", "build", "--function", "stream", "--program", "program"].as_slice(), "dist/images"),
        (&["package", "--function", "stream", "--program", "program"], "dist"),
    ] {
        let machine = Machine::new("");
        let program = machine.project.path().join("program");
        // A program that never ends.
        rustix::fs::mknodat(rustix::fs::CWD, &program, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let mut command = machine.command(command);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        // Opening it for writing waits for its reader.
        let mut program = std::fs::File::create(program).unwrap();
        program.write_all(&noise("arm64", 100_000)).unwrap();
        kill_process_group(rustix::process::Pid::from_child(&child), Signal::INT).unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
        assert_eq!(
            said.matches("error: interrupted before the end: nothing is left half-written\n hint: ").count(),
            1,
            "{said}"
        );
        assert!(!machine.project.path().join(made).exists(), "{said}");
    }
}

/// Terraform notes what it has made as it goes, and where the disk is full its state is broken off in the middle of a line.
#[test]
fn a_disk_that_is_nearly_full_is_said_before_anything_is_made_and_the_same_command_goes_on() {
    let account = Account::new("");
    let kept = tempfile::tempdir().unwrap();
    let deploy = "\"$INFRAGEN\" deploy --yes --no-smoke && echo \"code 0\" || echo \"code $?\"";
    // Room for the plan and the state's lock, and hardly for the state.
    let lines = format!(
        "set -eu; cd \"$0\"; cp -a . \"$1\"; mount -t tmpfs -o size=64m tmpfs \"$0\"; cd \"$0\"; cp -a \"$1/.\" .\n\
         \"$INFRAGEN\" render 2>/dev/null; mount -o remount,size=$(($(df -k --output=used . | tail -1) + 300))k \"$0\"\n\
         {deploy}; ! ls -A generated/terraform | grep tfplan; mount -o remount,size=64m \"$0\"; {deploy}; {deploy}\n\
         echo '{{}}' >generated/terraform/errored.tfstate; {deploy}; : >generated/terraform/errored.tfstate; {deploy}"
    );
    let mut command = account.command("unshare", &unshare(&lines));
    command.arg(account.project.path()).arg(kept.path()).env("INFRAGEN", bins::path("infragen")).stderr(Stdio::piped());
    let output = command.output().unwrap();
    let (codes, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let codes: Vec<_> = codes.lines().filter_map(|line| line.strip_prefix("code ")).collect();
    assert_eq!(codes, ["1", "0", "0", "1", "1"], "{said}");
    for (told, times) in [
        ("error: the disk of `generated/terraform` has ", 1),
        (" KiB free, and 16384 are needed: Terraform notes there what it makes\n hint: make room", 1),
        ("error: `generated/terraform/errored.tfstate` has what an apply made and could not note in the state", 1),
        (" hint: run `terraform -chdir=generated/terraform state push errored.tfstate`, and delete the file\n", 1),
        ("error: `generated/terraform/errored.tfstate` is empty\n hint: what it printed then is the state", 1),
        ("error: ", 3),
    ] {
        assert_eq!(said.matches(told).count(), times, "{told}: {said}");
    }
}
