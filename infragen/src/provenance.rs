//! Which key reaches which output: found out by changing each key and comparing what is rendered, so that no table of
//! it can go stale.

mod address;
mod behind;
mod places;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::ci::{RolesPlan, WorkflowPlan, roles, workflow};
use crate::constructs::constructs;
use crate::listing::literal;
use crate::load::{self, Loaded};
use crate::manifest::reader::KeyDoc;
use crate::manifest::{self, Manifest, Section as _};
use crate::plan::{Plan, plan};
use crate::render::{Artifact, Engine, RenderError, Templates, render_with};

pub use behind::{Behind, Hit};
pub use places::Place;

/// Values that are tried for one key; two that change something show what is a coincidence of one.
const TRIED_MAX: usize = 8;
const ENOUGH: usize = 2;

/// Keys that reach no output, each with what they are for instead.
const COMMANDS_ONLY: [(&str, &str); 8] = [
    ("stream.allow_fast_poll", "permits a `stream.poll_interval` under a second"),
    ("stream.invoke_mode", "has one word only: its program works in no other mode"),
    ("dashboard.invoke_mode", "has one word only: its program works in no other mode"),
    (
        "stream.expected_viewers",
        "is what `stream.reserved_concurrency` is held against and `infragen cost` reckons with",
    ),
    ("stream.image.architecture", "is compared with `package.architecture`"),
    ("dashboard.image.architecture", "is compared with `package.architecture`"),
    ("cost.hours_per_day", "is what `infragen cost` reckons with"),
    ("cost.items_per_day", "is what `infragen cost` reckons with"),
];

/// Other manifests in which keys are tried that do nothing, or are refused, in this one.
const SITUATIONS: [&[(&str, &str)]; 28] = [
    &[("history.keep", "'400d'")],
    &[("front.kind", "'cloudfront'")],
    &[("front.kind", "'api-gateway'"), ("terraform.aws_provider", "'>= 6.25.0, < 7.0.0'")],
    &[
        ("front.kind", "'api-gateway'"),
        ("front.access_log", "true"),
        ("terraform.aws_provider", "'>= 6.25.0, < 7.0.0'"),
    ],
    &[
        ("front.kind", "'api-gateway'"),
        ("front.api.private", "true"),
        ("front.api.vpc_endpoints", "['vpce-01234567']"),
        ("terraform.aws_provider", "'>= 6.25.0, < 7.0.0'"),
    ],
    &[
        ("front.kind", "'api-gateway'"),
        ("front.domain", "'live.example.com'"),
        ("front.certificate_arn", "'arn:aws:acm:us-east-1:123456789012:certificate/1a'"),
        ("terraform.aws_provider", "'>= 6.25.0, < 7.0.0'"),
    ],
    &[
        ("front.kind", "'cloudfront'"),
        ("front.domain", "'live.example.com'"),
        ("front.hosted_zone_id", "'Z0123456789'"),
    ],
    &[
        ("front.kind", "'cloudfront'"),
        ("auth.mode", "'trusted-header'"),
        ("front.viewer_function_arn", "'arn:aws:cloudfront::123456789012:function/user-id'"),
    ],
    &[("front.kind", "'cloudfront'"), ("front.frame_ancestors", "['https://page.example.com']")],
    &[("auth.mode", "'session'")],
    &[("auth.mode", "'jwt'"), ("auth.issuer", "'https://id.example.com'"), ("auth.audience", "'live'")],
    &[("front.allow_origins", "['https://page.example.com']")],
    &[("terraform.backend.kind", "'s3'"), ("terraform.backend.bucket", "'state-bucket'")],
    &[
        ("stream.compute", "'managed-instances'"),
        ("stream.memory", "'8 GiB'"),
        ("stream.vpc.subnets", "['subnet-01234567']"),
        ("stream.vpc.security_groups", "['sg-01234567']"),
        ("terraform.aws_provider", "'>= 6.28.0, < 7.0.0'"),
    ],
    &[("dashboard.vpc.subnets", "['subnet-01234567']"), ("dashboard.vpc.security_groups", "['sg-01234567']")],
    &[("stream.package", "'image'"), ("dashboard.package", "'image'")],
    &[("stream.package", "'image'"), ("package.repository", "'team/live'"), ("package.create_repository", "false")],
    &[
        ("ci.provider", "'github'"),
        ("ci.repository", "'example/live'"),
        ("terraform.backend.kind", "'s3'"),
        ("terraform.backend.bucket", "'state-bucket'"),
    ],
    &[("operations.email", "'operations@example.com'")],
    &[("operations.email", "'operations@example.com'"), ("operations.monthly_budget_usd", "10")],
    &[("aws.assume_role.role_arn", "'arn:aws:iam::123456789012:role/deploy'")],
    &[("operations.logs.format", "'json'")],
    &[("stream.reserved_concurrency", "1000")],
    &[("data.labels", "['1', '0', '-1']")],
    &[("page.accent", "'#0a6b5e'")],
    &[("output.runner", "false")],
    &[
        ("stream.archive.bucket", "'company-artifacts'"),
        ("stream.archive.key", "'live/stream.zip'"),
        ("stream.archive.sha256", "'LI1CBoY11NBpRmfyMROQtzqbidohM6Zpa5WZrhEsYfE='"),
    ],
    &[
        ("dashboard.archive.bucket", "'company-artifacts'"),
        ("dashboard.archive.key", "'live/dashboard.zip'"),
        ("dashboard.archive.sha256", "'LI1CBoY11NBpRmfyMROQtzqbidohM6Zpa5WZrhEsYfE='"),
    ],
];

/// What one key reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// What the manifest would have to say for the key to do anything; empty where it does now.
    pub when: Vec<(&'static str, String)>,
    /// Where it goes, sorted.
    pub places: Vec<Place>,
}

/// A manifest, what is rendered from it, and the way to render others.
#[derive(Debug)]
pub struct Provenance<'a> {
    ground: Ground<'a>,
    engine: Engine,
    /// What every key reaches: found out once, where somebody asks for the way back.
    all: OnceCell<BTreeMap<String, Vec<Place>>>,
    /// The manifests of the situations, as soon as somebody needs them; none where this one does not allow it.
    situations: [OnceCell<Option<Ground<'a>>>; SITUATIONS.len()],
}

/// A manifest in which keys are tried, and what is rendered from it as it is.
#[derive(Debug)]
struct Ground<'a> {
    loaded: Cow<'a, Loaded>,
    planned: Planned,
    artifacts: Vec<Artifact>,
}

impl<'a> Ground<'a> {
    fn new(loaded: Cow<'a, Loaded>, engine: &Engine) -> Result<Self, RenderError> {
        let (planned, artifacts) = (planned(&loaded), render_with(&loaded, engine)?.artifacts);
        Ok(Self { loaded, planned, artifacts })
    }
}

/// What the templates are given.
type Planned = (Plan, Option<RolesPlan>, Option<WorkflowPlan>);

fn planned(loaded: &Loaded) -> Planned {
    let plan = plan(loaded);
    let own = constructs(&plan);
    let roles = roles(loaded, &plan, &own.iter().map(|construct| &**construct).collect::<Vec<_>>());
    drop(own);
    (plan, roles, workflow(loaded))
}

impl<'a> Provenance<'a> {
    /// Renders the manifest as it is.
    ///
    /// # Errors
    /// [`RenderError`]
    pub fn new(loaded: &'a Loaded, templates: &Templates) -> Result<Self, RenderError> {
        let engine = templates.engine()?;
        let ground = Ground::new(Cow::Borrowed(loaded), &engine)?;
        Ok(Self { ground, engine, all: OnceCell::new(), situations: [const { OnceCell::new() }; SITUATIONS.len()] })
    }

    /// The artifacts of the manifest as it is.
    #[must_use]
    pub fn artifacts(&self) -> &[Artifact] {
        &self.ground.artifacts
    }

    /// Finds out what a key reaches, in this manifest or else in one where it does something.
    ///
    /// # Errors
    /// [`RenderError`]
    pub fn reach(&self, doc: &KeyDoc) -> Result<Reach, RenderError> {
        let places = self.places(&self.ground, doc)?;
        if !places.is_empty() || commands_only(&doc.path).is_some() {
            return Ok(Reach { when: Vec::new(), places });
        }
        for (situation, kept) in SITUATIONS.iter().zip(&self.situations) {
            let Some(ground) = self.situation(situation, kept)? else { continue };
            let mut places = self.places(ground, doc)?;
            if let Some((_, own)) = situation.iter().find(|(key, _)| places.is_empty() && *key == doc.path) {
                // Its words are valid only together with other keys: they make the difference together.
                let own = literal(&parsed(own));
                places = places::compare(&self.ground.artifacts, &ground.artifacts, &own).into_iter().collect();
            }
            if !places.is_empty() {
                let others = situation.iter().filter(|(key, _)| *key != doc.path);
                return Ok(Reach { when: others.map(|(key, text)| (*key, literal(&parsed(text)))).collect(), places });
            }
        }
        Ok(Reach::default())
    }

    /// Renders a situation, once.
    fn situation<'s>(
        &self,
        situation: &[(&'static str, &str)],
        kept: &'s OnceCell<Option<Ground<'a>>>,
    ) -> Result<Option<&'s Ground<'a>>, RenderError> {
        if let Some(ground) = kept.get() {
            return Ok(ground.as_ref());
        }
        let changes: Vec<_> = situation.iter().map(|(key, text)| (*key, parsed(text))).collect();
        let varied = load::vary(&self.ground.loaded, &changes);
        let ground = varied.map(|loaded| Ground::new(Cow::Owned(loaded), &self.engine)).transpose()?;
        Ok(kept.get_or_init(|| ground).as_ref())
    }

    /// Finds out what every key reaches in this manifest.
    ///
    /// # Errors
    /// [`RenderError`]
    pub fn all(&self) -> Result<&BTreeMap<String, Vec<Place>>, RenderError> {
        if let Some(all) = self.all.get() {
            return Ok(all);
        }
        let keys = Manifest::docs("").into_iter().filter(|doc| commands_only(&doc.path).is_none());
        let all: Result<_, RenderError> =
            keys.map(|doc| Ok((doc.path.clone(), self.places(&self.ground, &doc)?))).collect();
        let all = all?;
        Ok(self.all.get_or_init(|| all))
    }

    fn places(&self, ground: &Ground<'_>, doc: &KeyDoc) -> Result<Vec<Place>, RenderError> {
        let shown = ground.loaded.manifest.show();
        let present = manifest::value_at(&shown, &doc.path);
        let others = doc.examples.iter().chain(&doc.default).filter(|value| Some(*value) != present);
        let (mut places, mut useful) = (BTreeSet::new(), 0);
        for value in others.take(TRIED_MAX) {
            let Some(varied) = load::vary(&ground.loaded, &[(&doc.path, value.clone())]) else { continue };
            // Templates print the plan and decide nothing: the same plan gives the same bytes.
            if planned(&varied) == ground.planned {
                continue;
            }
            let after = render_with(&varied, &self.engine)?.artifacts;
            let found = places::compare(&ground.artifacts, &after, &literal(value));
            useful += usize::from(!found.is_empty());
            places.extend(found);
            if useful == ENOUGH {
                break;
            }
        }
        Ok(once(places))
    }
}

/// Leaves out what is there with one value only where it is there anyway, or with another.
fn once(places: BTreeSet<Place>) -> Vec<Place> {
    let mut seen = BTreeSet::new();
    let (now, then): (Vec<Place>, Vec<Place>) = places.into_iter().partition(|place| place.with.is_none());
    let what =
        |place: &Place| (place.path.clone(), place.address.clone(), place.argument.clone(), place.attribute.clone());
    seen.extend(now.iter().map(what));
    let mut all = now;
    all.extend(then.into_iter().filter(|place| seen.insert(what(place))));
    all.sort();
    all
}

/// Returns what a key is for that reaches no output.
#[must_use]
pub fn commands_only(key: &str) -> Option<&'static str> {
    COMMANDS_ONLY.iter().find(|(listed, _)| *listed == key).map(|(_, purpose)| *purpose)
}

fn parsed(text: &str) -> toml::Value {
    let table: toml::Table = toml::from_str(&format!("v = {text}")).expect("a literal that a test parses");
    table["v"].clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};

    fn loaded(text: &str) -> Loaded {
        load::load(&Input::new(Source { name: "m".into(), text: text.into() }), None).unwrap()
    }

    fn doc(path: &str) -> KeyDoc {
        Manifest::docs("").into_iter().find(|doc| doc.path == path).unwrap()
    }

    #[test]
    fn every_key_reaches_an_output_or_is_known_to_steer_commands_only() {
        let loaded = loaded("");
        let provenance = Provenance::new(&loaded, &Templates::embedded()).unwrap();
        let mut wrong = Vec::new();
        for doc in Manifest::docs("") {
            let is_listed = commands_only(&doc.path).is_some();
            let reach = provenance.reach(&doc).unwrap();
            if is_listed == reach.places.is_empty() {
                continue;
            }
            wrong.push(format!(
                "{}: {}",
                doc.path,
                if is_listed { "is listed but reaches outputs" } else { "is dead" }
            ));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_key_reaches_blocks_attributes_and_variables() {
        let loaded = loaded("");
        let provenance = Provenance::new(&loaded, &Templates::embedded()).unwrap();
        let reach = provenance.reach(&doc("stream.memory")).unwrap();
        let found: Vec<String> = reach.places.iter().map(ToString::to_string).collect();
        assert_eq!(reach.when, []);
        assert!(
            found
                .iter()
                .any(|place| place.starts_with("generated/terraform/stream.tf:") && place.contains("`module.stream`")),
            "{found:?}"
        );
        let reach = provenance.reach(&doc("terraform.backend.bucket")).unwrap();
        assert_eq!(reach.when, [("terraform.backend.kind", "\"s3\"".to_owned())]);
    }

    #[test]
    fn every_situation_is_a_valid_manifest() {
        for situation in SITUATIONS {
            let changes: Vec<(&str, toml::Value)> = situation.iter().map(|(key, text)| (*key, parsed(text))).collect();
            assert!(load::vary(&loaded(""), &changes).is_some(), "{situation:?}");
        }
        for (key, _) in COMMANDS_ONLY {
            doc(key);
        }
    }
}
