//! What Terraform said of files that it is asked about again: a plan that asks AWS nothing, and a suite that makes nothing, follow
//! from the files, the arguments and the programs alone. Terraform reads some hundred megabytes of schema to say it once more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use ring::digest;

/// Answers that nobody asked for in so long are of files that are no more.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Whether Terraform succeeded, and everything it said.
pub(super) type Said = (bool, String);

/// Answers of this process, each made once however many tests ask for it at a time.
type Answers = Mutex<BTreeMap<String, Arc<OnceLock<Said>>>>;
static ANSWERS: Answers = Mutex::new(BTreeMap::new());

/// What was said of these files before, in this run or an earlier one, or what `ask` finds out now.
pub(super) fn remembered(
    programs: &str,
    files: &[(String, Vec<u8>)],
    arguments: &[&str],
    ask: impl FnOnce() -> Said,
) -> Said {
    let key = key(programs, files, arguments);
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = Arc::clone(answers.entry(key.clone()).or_default());
    drop(answers);
    let said = answer.get_or_init(|| {
        let file = folder().join(&key);
        if let Some(said) = read(&file) {
            return said;
        }
        let said = ask();
        let text = serde_json::to_vec(&said).expect("text is written as JSON");
        let new = tempfile::NamedTempFile::new_in(folder()).expect("the folder for what tests keep can be written");
        std::fs::write(new.path(), text).expect("a new file can be written");
        new.persist(file).expect("a file beside it can be replaced");
        said
    });
    said.clone()
}

/// Reads an answer and notes that it was of use.
fn read(file: &Path) -> Option<Said> {
    let said = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    std::fs::File::options().write(true).open(file).and_then(|file| file.set_modified(SystemTime::now())).ok()?;
    Some(said)
}

fn key(programs: &str, files: &[(String, Vec<u8>)], arguments: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut add = |part: &[u8]| {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    };
    add(programs.as_bytes());
    for argument in arguments {
        add(argument.as_bytes());
    }
    for (name, bytes) in files {
        add(name.as_bytes());
        add(bytes);
    }
    context.finish().as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Where answers are kept between runs; what is old is thrown away once for each process.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terraform/remembered");
        std::fs::create_dir_all(&folder).expect("the folder for what tests keep can be written");
        let is_old = |path: &Path| {
            let modified = path.metadata().and_then(|metadata| metadata.modified());
            modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > KEPT))
        };
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if is_old(&entry.path()) {
                // Another run may have been quicker.
                let _ = std::fs::remove_file(entry.path());
            }
        }
        folder
    })
}

#[test]
fn what_is_remembered_is_of_the_same_files_arguments_and_programs() {
    let of = |programs: &str, bytes: &str, argument: &str| {
        key(programs, &[("main.tf".to_owned(), bytes.as_bytes().to_vec())], &[argument])
    };
    let base = of("1", "a", "plan");
    assert_eq!(base, of("1", "a", "plan"));
    for other in [of("2", "a", "plan"), of("1", "b", "plan"), of("1", "a", "test")] {
        assert_ne!(base, other);
    }
    let mut asked = 0;
    let unheard: String = std::iter::repeat_with(fastrand::alphanumeric).take(20).collect();
    for _ in 0..2 {
        let said = remembered(&unheard, &[], &[], || {
            asked += 1;
            (true, "said".to_owned())
        });
        assert_eq!(said, (true, "said".to_owned()));
    }
    assert_eq!(asked, 1);
    assert_eq!(read(&folder().join(key(&unheard, &[], &[]))), Some((true, "said".to_owned())));
}
