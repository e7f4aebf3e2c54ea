//! Programs in Python that take seconds to load: loaded once for all tests of this process, and forked for each use.

use std::io::{BufRead, BufReader, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::external::{python, tool};
use super::script::script;

/// One such program.
pub(crate) struct Nursery {
    /// Below the folder of the tests, with its arguments.
    program: &'static [&'static str],
    /// Variable with the folder of its packages, and where they are otherwise.
    packages: (&'static str, &'static str),
    running: Mutex<Option<Running>>,
}

/// It ends with this process, by the end of its stdin.
struct Running {
    process: Child,
    /// Name of its socket, which is no file.
    socket: String,
}

impl Nursery {
    /// Names a program; it starts when it is asked.
    pub(crate) const fn new(program: &'static [&'static str], packages: (&'static str, &'static str)) -> Self {
        Self { program, packages, running: Mutex::new(None) }
    }

    /// Sends a line; the answer is read from what comes back.
    pub(crate) fn ask(&self, line: &str) -> UnixStream {
        let address = SocketAddr::from_abstract_name(self.socket()).unwrap();
        let mut connection = UnixStream::connect_addr(&address).unwrap();
        writeln!(connection, "{line}").unwrap();
        connection
    }

    /// Returns the name of the socket at which it answers.
    fn socket(&self) -> String {
        // A test that failed here fails alone: the next one tries again.
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = running.take().and_then(Running::if_still);
        let socket = now.get_or_insert_with(|| self.start()).socket.clone();
        *running = now;
        socket
    }

    fn start(&self) -> Running {
        let [program, arguments @ ..] = self.program else { panic!("a nursery has a program") };
        let (variable, otherwise) = self.packages;
        let paths = [folder("support/nursery"), tool(variable, otherwise)];
        let mut process = Command::new(python())
            .arg(folder(program))
            .args(arguments)
            .env("PYTHONPATH", std::env::join_paths(paths).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("asked for")).read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{program} did not load, it says why above; `./justw it` installs what it needs");
        Running { process, socket: line.trim_end().to_owned() }
    }
}

impl Running {
    fn if_still(mut self) -> Option<Self> {
        matches!(self.process.try_wait(), Ok(None)).then_some(self)
    }
}

/// Writes the real command line of AWS into a folder, as `aws`.
pub(crate) fn aws(folder_of_programs: &Path) {
    // What commands of ours ask.
    static AWS: Nursery = Nursery::new(
        &["support/nursery/aws.py", "cloudwatch", "dynamodb", "ecr", "lambda", "logs", "s3", "sts"],
        ("TOOLS_AWSCLI", ".tools/awscli"),
    );
    let client = format!("'{}' -I -S '{}'", python().display(), folder("support/nursery/aws_client.py").display());
    script(&folder_of_programs.join("aws"), &format!("exec {client} '{}' \"$@\"", AWS.socket()));
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
