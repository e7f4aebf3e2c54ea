//! The way back: an address, a file or a line of what is rendered → the keys that reach it.

use std::collections::{BTreeMap, BTreeSet};

use super::Provenance;
use super::address::{Block, Blocks, references};
use super::places::{Place, attribute};
use crate::manifest::{Manifest, Section as _};
use crate::render::{Artifact, RenderError};

/// A key, and where in the thing it arrives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The key.
    pub key: String,
    /// The argument, variable or line.
    pub inside: String,
}

/// What is behind one thing that is rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// The thing, as Terraform or an editor names it.
    pub name: String,
    /// Where it is: file and first line.
    pub place: String,
    /// Keys that reach it.
    pub direct: Vec<Hit>,
    /// Keys that reach it through a variable of its module or a local value.
    pub through: Vec<(String, Vec<Hit>)>,
    /// What else it refers to.
    pub refers: Vec<String>,
}

/// A block with its whole address.
struct Located<'a> {
    address: String,
    artifact: &'a Artifact,
    block: Block,
    /// The block that calls the module it is in: its file and address.
    call: Option<(&'a str, String)>,
}

impl Provenance<'_> {
    /// Returns every address of what is rendered, sorted.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.located().into_iter().map(|located| located.address).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Finds what is behind an address; nothing where there is no such address. `TYPE.NAME` is also found where the
    /// module `NAME` has one resource of that type, and as Terraform names it inside of a module, once for each call.
    ///
    /// # Errors
    /// [`RenderError`]
    pub fn behind_address(&self, address: &str) -> Result<Vec<Behind>, RenderError> {
        let located = self.located();
        let wanted = without_indexes(address);
        let mut found: Vec<&Located<'_>> = located.iter().filter(|located| located.address == wanted).collect();
        if found.is_empty()
            && let Some((kind, name)) = wanted.split_once('.')
        {
            let start = format!("module.{name}.{kind}.");
            found = located.iter().filter(|located| located.address.starts_with(&start)).collect();
        }
        if found.is_empty() {
            found = located.iter().filter(|located| located.block.address == wanted).collect();
        }
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let all = self.all()?;
        Ok(found.into_iter().map(|found| self.behind_block(found, all)).collect())
    }

    /// Finds every line that sets an environment variable of a function, and what is behind it.
    ///
    /// # Errors
    /// [`RenderError`]
    pub fn behind_variable(&self, name: &str) -> Result<Vec<Behind>, RenderError> {
        let mut found = Vec::new();
        for artifact in self.artifacts().iter().filter(|artifact| artifact.path.ends_with(".tf")) {
            for (index, line) in artifact.text.lines().enumerate() {
                if attribute(line).as_deref() == Some(name) {
                    found.extend(self.behind_file(&artifact.path, Some(index + 1))?);
                }
            }
        }
        Ok(found)
    }

    /// Returns the keys with another value of which a variable would be set that is not set now.
    ///
    /// # Errors
    /// [`RenderError`]
    pub fn would_set(&self, name: &str) -> Result<Vec<String>, RenderError> {
        let sets =
            |place: &Place| place.with.is_some() && place.is_variable() && place.attribute.as_deref() == Some(name);
        let all = self.all()?;
        let found: Vec<String> =
            all.iter().filter(|(_, places)| places.iter().any(sets)).map(|(key, _)| key.clone()).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        // Some keys do anything only together with others.
        let mut found = Vec::new();
        for doc in Manifest::docs("").iter().filter(|doc| all.get(&doc.path).is_some_and(Vec::is_empty)) {
            if self.reach(doc)?.places.iter().any(sets) {
                found.push(doc.path.clone());
            }
        }
        Ok(found)
    }

    /// Returns the rendered files that a path may mean: itself, or those that end so.
    #[must_use]
    pub fn files(&self, path: &str) -> Vec<&str> {
        let path = path.strip_prefix("./").unwrap_or(path);
        let paths = || self.artifacts().iter().map(|artifact| artifact.path.as_str());
        if let Some(same) = paths().find(|known| *known == path) {
            return vec![same];
        }
        paths().filter(|known| known.strip_suffix(path).is_some_and(|rest| rest.ends_with('/'))).collect()
    }

    /// Finds what is behind a file, or behind one line of it, from 1; nothing where no such file or line is rendered.
    ///
    /// # Errors
    /// [`RenderError`]
    pub fn behind_file(&self, path: &str, line: Option<usize>) -> Result<Option<Behind>, RenderError> {
        let path = path.strip_prefix("./").unwrap_or(path);
        let Some(artifact) = self.artifacts().iter().find(|artifact| artifact.path == path) else {
            return Ok(None);
        };
        let all = self.all()?;
        let Some(line) = line else {
            let direct = hits(all, |place| place.path == path);
            return Ok(Some(Behind { name: path.into(), place: path.into(), direct, ..Behind::default() }));
        };
        let Some(text) = artifact.text.lines().nth(line.wrapping_sub(1)) else {
            return Ok(None);
        };
        let direct = hits(all, |place| place.path == path && place.line == Some(line));
        let mut behind = Behind {
            name: text.split_whitespace().collect::<Vec<_>>().join(" "),
            place: format!("{path}:{line}"),
            direct,
            ..Behind::default()
        };
        if let Some(located) =
            self.located().iter().find(|one| one.artifact.path == path && one.block.lines.contains(&line))
        {
            // A module's line serves all of its callers.
            let calls = self
                .located()
                .into_iter()
                .filter(|one| one.artifact.path == path && one.block == located.block && one.call.is_some());
            for call in calls.map(|one| one.call) {
                behind.through.extend(self.through(artifact, text, call.as_ref(), all));
            }
            if located.call.is_none() {
                behind.through = self.through(artifact, text, None, all);
            }
            behind.refers = self.refers(artifact, text, "");
        }
        Ok(Some(behind))
    }

    fn behind_block(&self, located: &Located<'_>, all: &BTreeMap<String, Vec<Place>>) -> Behind {
        let (artifact, block) = (located.artifact, &located.block);
        let lines: Vec<&str> = artifact.text.lines().collect();
        let text = lines[block.lines.start - 1..block.lines.end - 1].join("\n");
        let is_in = |place: &Place| place.path == artifact.path && place.address.as_ref() == Some(&block.address);
        Behind {
            name: located.address.clone(),
            place: format!("{}:{}", artifact.path, block.lines.start),
            direct: hits(all, is_in),
            through: self.through(artifact, &text, located.call.as_ref(), all),
            refers: self.refers(artifact, &text, &block.address),
        }
    }

    /// Follows variables to the module's call, and local values to what they are made of.
    fn through(
        &self,
        artifact: &Artifact,
        text: &str,
        call: Option<&(&str, String)>,
        all: &BTreeMap<String, Vec<Place>>,
    ) -> Vec<(String, Vec<Hit>)> {
        let blocks = self.blocks_of(folder(&artifact.path));
        let mut found: BTreeMap<String, BTreeSet<Hit>> = BTreeMap::new();
        let (mut seen, mut pending) = (BTreeSet::new(), vec![text.to_owned()]);
        while let Some(text) = pending.pop() {
            let values = blocks
                .iter()
                .filter(|(_, block, _)| block.address.starts_with("var.") || block.address.starts_with("local."));
            for address in references(&text, values.map(|(_, block, _)| block.address.as_str())) {
                if !seen.insert(address.clone()) {
                    continue;
                }
                for (path, block, text) in blocks.iter().filter(|(_, block, _)| block.address == address) {
                    let own = hits(all, |place| place.path == *path && place.address.as_ref() == Some(&block.address));
                    found.entry(address.clone()).or_default().extend(own);
                    pending.push(text.clone());
                }
                if let (Some((path, call)), Some(name)) = (call, address.strip_prefix("var.")) {
                    let given = hits(all, |place| {
                        place.path == *path
                            && place.address.as_ref() == Some(call)
                            && place.argument.as_deref() == Some(name)
                    });
                    found.entry(address.clone()).or_default().extend(given);
                }
            }
        }
        let filled = found.into_iter().filter(|(_, hits)| !hits.is_empty());
        filled.map(|(address, hits)| (address, hits.into_iter().collect())).collect()
    }

    fn refers(&self, artifact: &Artifact, text: &str, own: &str) -> Vec<String> {
        let blocks = self.blocks_of(folder(&artifact.path));
        let is_value = |address: &str| address.starts_with("var.") || address.starts_with("local.");
        let others = blocks
            .iter()
            .map(|(_, block, _)| block.address.as_str())
            .filter(|address| *address != own && address.contains('.') && !is_value(address));
        references(text, others).into_iter().collect()
    }

    /// The blocks of all files of one folder, each with its file and its text.
    fn blocks_of(&self, wanted: &str) -> Vec<(&str, Block, String)> {
        let mut found = Vec::new();
        for artifact in self.artifacts().iter().filter(|one| one.path.ends_with(".tf") && folder(&one.path) == wanted) {
            let lines: Vec<&str> = artifact.text.lines().collect();
            for block in Blocks::new(&artifact.text).as_slice() {
                let text = lines[block.lines.start - 1..block.lines.end - 1].join("\n");
                found.push((artifact.path.as_str(), block.clone(), text));
            }
        }
        found
    }

    /// Every block with its address: once in a root, once for each call in a module.
    fn located(&self) -> Vec<Located<'_>> {
        let files: Vec<(&Artifact, Blocks)> = self
            .artifacts()
            .iter()
            .filter(|artifact| artifact.path.ends_with(".tf"))
            .map(|artifact| (artifact, Blocks::new(&artifact.text)))
            .collect();
        let mut calls: Vec<(String, &str, String)> = Vec::new();
        for (artifact, blocks) in &files {
            for block in blocks.as_slice().iter().filter(|block| block.address.starts_with("module.")) {
                if let Some(source) = source(artifact, block) {
                    calls.push((format!("{}/{source}", folder(&artifact.path)), &artifact.path, block.address.clone()));
                }
            }
        }
        let mut located = Vec::new();
        for (artifact, blocks) in &files {
            let own: Vec<_> = calls.iter().filter(|(module, ..)| module == folder(&artifact.path)).collect();
            for block in blocks.as_slice() {
                if own.is_empty() {
                    located.push(Located {
                        address: block.address.clone(),
                        artifact,
                        block: block.clone(),
                        call: None,
                    });
                }
                for (_, path, call) in &own {
                    let address = format!("{call}.{}", block.address);
                    located.push(Located { address, artifact, block: block.clone(), call: Some((path, call.clone())) });
                }
            }
        }
        located
    }
}

/// Returns the folder of a module, where it is one beside the root.
fn source<'a>(artifact: &'a Artifact, block: &Block) -> Option<&'a str> {
    let (_, lines) = block.arguments.iter().find(|(name, _)| name == "source")?;
    let line = artifact.text.lines().nth(lines.start - 1)?;
    line.split('"').nth(1)?.strip_prefix("./")
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `aws_x.y[0].z["k"]` is the same block as `aws_x.y.z`.
fn without_indexes(address: &str) -> String {
    let mut depth = 0_usize;
    let outside = |c: &char| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    address.trim().chars().filter(outside).collect()
}

fn hits(all: &BTreeMap<String, Vec<Place>>, is_here: impl Fn(&Place) -> bool) -> Vec<Hit> {
    let mut hits = BTreeSet::new();
    for (key, places) in all {
        // What another value would bring is not behind what is there.
        for place in places.iter().filter(|place| place.with.is_none() && is_here(place)) {
            hits.insert(Hit { key: key.clone(), inside: place.inside_block() });
        }
    }
    hits.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::load;
    use crate::render::Templates;

    fn keys(hits: &[Hit]) -> Vec<&str> {
        hits.iter().map(|hit| hit.key.as_str()).collect()
    }

    #[test]
    fn an_address_a_file_or_a_line_leads_back_to_its_keys() {
        let loaded = load(&Input::new(Source { name: "m".into(), text: String::new() }), None).unwrap();
        let provenance = Provenance::new(&loaded, &Templates::embedded()).unwrap();

        let [module] = &provenance.behind_address("module.stream").unwrap()[..] else { panic!("it is there once") };
        let memory = Hit { key: "stream.memory".into(), inside: "`memory_mebibytes`".into() };
        let poll = Hit { key: "stream.poll_interval".into(), inside: "variable `SSE_POLL_INTERVAL`".into() };
        assert!(module.direct.contains(&memory) && module.direct.contains(&poll), "{module:?}");
        assert!(!keys(&module.direct).contains(&"dashboard.memory"));
        // The web adapter's variables are there with another value of `stream.adapter` only.
        assert!(!module.direct.iter().any(|hit| hit.inside.contains("AWS_LWA")), "{module:?}");

        for address in [
            "module.stream.aws_lambda_function.this",
            "aws_lambda_function.stream",
            "module.stream.aws_lambda_function.this[0]",
        ] {
            let [function] = &provenance.behind_address(address).unwrap()[..] else { panic!("{address}") };
            assert_eq!(function.name, "module.stream.aws_lambda_function.this");
            let through =
                |name: &str| function.through.iter().find(|(found, _)| found == name).map(|(_, hits)| keys(hits));
            assert_eq!(through("var.memory_mebibytes"), Some(vec!["stream.memory"]), "{function:?}");
            assert!(through("var.environment").is_some_and(|keys| keys.contains(&"stream.poll_interval")));
        }
        let [table] = &provenance.behind_address("aws_dynamodb_table.items").unwrap()[..] else { panic!("once") };
        assert!(keys(&table.direct).contains(&"tables.items.deletion_protection"), "{table:?}");
        let [output] = &provenance.behind_address("output.stream_url").unwrap()[..] else { panic!("once") };
        assert_eq!(output.refers, ["module.stream"]);
        assert_eq!(provenance.behind_address("aws_lambda_function.nothing").unwrap(), []);
        let both = provenance.behind_address("aws_lambda_function.this").unwrap();
        let names: Vec<&str> = both.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["module.dashboard.aws_lambda_function.this", "module.stream.aws_lambda_function.this"]);

        let variable = provenance.behind_variable("SSE_RETRY").unwrap();
        assert!(
            variable.iter().all(|one| keys(&one.direct) == ["stream.retry"]) && !variable.is_empty(),
            "{variable:?}"
        );
        assert_eq!(provenance.behind_variable("AWS_LWA_PORT").unwrap(), []);
        assert_eq!(provenance.would_set("AWS_LWA_PORT").unwrap(), ["stream.adapter"]);
        assert_eq!(provenance.files("terraform/stream.tf"), ["generated/terraform/stream.tf"]);
        assert_eq!(provenance.files("stream"), [] as [&str; 0]);
        assert!(provenance.addresses().contains(&"module.dashboard.aws_lambda_function.this".to_owned()));

        let stream = provenance.artifacts().iter().find(|one| one.path == "generated/terraform/stream.tf").unwrap();
        let line = stream.text.lines().position(|line| line.contains("SSE_RETRY")).unwrap() + 1;
        let behind = provenance.behind_file("./generated/terraform/stream.tf", Some(line)).unwrap().unwrap();
        assert_eq!(keys(&behind.direct), ["stream.retry"]);
        let config = provenance.behind_file("frontend/config.js", None).unwrap().unwrap();
        assert!(keys(&config.direct).contains(&"data.labels"), "{config:?}");
        assert_eq!(provenance.behind_file("frontend/config.js", Some(0)).unwrap(), None);
        assert_eq!(provenance.behind_file("frontend/config.js", Some(9999)).unwrap(), None);
        assert_eq!(provenance.behind_file("nothing", None).unwrap(), None);

        let path = "generated/terraform/modules/lambda/function.tf";
        let module = provenance.artifacts().iter().find(|one| one.path == path).unwrap();
        let line = module.text.lines().position(|line| line.contains("var.memory_mebibytes")).unwrap() + 1;
        let behind = provenance.behind_file(path, Some(line)).unwrap().unwrap();
        let through: Vec<&str> = behind.through.iter().flat_map(|(_, hits)| keys(hits)).collect();
        assert_eq!(through, ["dashboard.memory", "stream.memory"]);
    }
}
