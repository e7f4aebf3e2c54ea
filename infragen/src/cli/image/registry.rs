//! A registry, as the specification of distribution 1.1 has it: what it has, what it takes, and how it is asked again.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use infragen::image::challenge::{self, Challenge};
use infragen::image::credentials::Login;
use infragen::image::repository::Repository;
use infragen::image::retry::{self, Tries};
use infragen::image::{Blob, Image, upload};
use ureq::http::Method;
use url::Url;

use super::wire::{Answer, Asked, Silence, Wire};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Why a push failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PushError {
    /// Nobody answers.
    #[error("`{host}` does not answer: {why}")]
    Unreachable { host: String, why: String },
    /// Its certificate is nobody's whom this machine trusts.
    #[error("`{host}` cannot be trusted: {why}")]
    Untrusted { host: String, why: String },
    /// It answers, and is not able to.
    #[error("`{host}` failed {tries} times in a row at {what}: {why}")]
    Failing { host: String, what: String, tries: u32, why: String },
    /// It does not know who this is.
    #[error("`{host}` refuses the credentials of {who}{}", reason(.said))]
    Login { host: String, who: String, said: Option<String> },
    /// It wants credentials, and there are none.
    #[error("`{host}` asks for a login, and no credentials for it were found")]
    NoLogin { host: String },
    /// It knows who this is, and who may not.
    #[error("`{repository}` may not be pushed to{}", reason(.said))]
    Denied { repository: String, said: Option<String> },
    /// There is no such repository.
    #[error("`{host}` has no repository `{name}`")]
    NoRepository { host: String, name: String },
    /// What it has is not what was sent.
    #[error("`{host}` got other bytes than were sent for {what}{}", reason(.said))]
    Mismatch { host: String, what: String, said: Option<String> },
    /// It says something that is not in the specification.
    #[error("`{host}` answered with status {status} at {what}{}", reason(.said))]
    Refused { host: String, what: String, status: u16, said: Option<String> },
    /// It asks to send credentials where they could be read.
    #[error("`{host}` wants credentials sent to `{realm}`, which is not encrypted")]
    Unencrypted { host: String, realm: String },
}

fn reason(said: &Option<String>) -> String {
    said.as_ref().map(|said| format!(": {said}")).unwrap_or_default()
}

impl PushError {
    /// What to do.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => "check its name and the network, and run the same command again".into(),
            Self::Untrusted { .. } => {
                "if its certificate is of an authority of your own, name that one's file: SSL_CERT_FILE=ca.pem".into()
            }
            Self::Failing { .. } => "run the same command again later: what has arrived whole is not sent again".into(),
            Self::Login { host, .. } | Self::NoLogin { host } => match is_ecr(host) {
                true => "sign in to AWS, and look with `aws sts get-caller-identity` who you are".into(),
                false => format!("run `docker login {host}`, or write its credentials into ~/.docker/config.json"),
            },
            Self::Denied { .. } => "ask whoever owns the repository for the right to push".into(),
            Self::NoRepository { host, .. } => match is_ecr(host) {
                true => "apply the bootstrap root, which makes it, or name another one with `--repository`".into(),
                false => "make it there, or name another one with `--repository`".into(),
            },
            Self::Mismatch { .. } => "something on the way changes what is sent: try from another network".into(),
            Self::Refused { .. } => "check that `--repository` is of a container registry".into(),
            Self::Unencrypted { .. } => "ask whoever runs the registry for a token service with https".into(),
        }
    }
}

fn is_ecr(host: &str) -> bool {
    format!("{host}/any").parse::<Repository>().is_ok_and(|repository| repository.ecr_region().is_some())
}

/// A failure that another try may change, or not.
enum Trouble {
    Passing { why: String, after: Option<Duration> },
    Final(PushError),
}

impl From<PushError> for Trouble {
    fn from(error: PushError) -> Self {
        Self::Final(error)
    }
}

/// How far an upload is, as the registry said last.
#[derive(Clone)]
struct Place {
    url: Url,
    offset: usize,
}

/// One repository of a registry, and who one is to it.
pub(super) struct Registry<'a> {
    pub(super) repository: &'a Repository,
    pub(super) login: Option<Login>,
    /// Told what is waited for.
    pub(super) say: &'a dyn Fn(&str),
    wire: Wire,
    /// Value of the header `Authorization` that was accepted, or is to be tried.
    authorization: RefCell<Option<String>>,
}

impl<'a> Registry<'a> {
    pub(super) fn new(repository: &'a Repository, login: Option<Login>, say: &'a dyn Fn(&str)) -> Self {
        let wire = Wire::new(repository.is_on_this_machine());
        Self { repository, login, say, wire, authorization: RefCell::new(None) }
    }

    fn host(&self) -> String {
        self.repository.host().to_owned()
    }

    /// Pushes what is missing of an image, its manifest last; `progress` hears of each blob's bytes that are sent. Returns how
    /// many bytes of blobs were missing.
    ///
    /// The manifest is read back: what Terraform is told of is what the registry gives.
    pub(super) fn push(&self, image: &Image, progress: &dyn Fn(&Blob, usize)) -> Result<usize, PushError> {
        let mut missing = 0;
        for blob in [&image.layer, &image.config] {
            if !self.has(blob)? {
                missing += blob.bytes.len();
                self.upload(blob, &|sent| progress(blob, sent))?;
            }
        }
        let url = self.repository.url(&format!("manifests/{}", image.digest()));
        let mut asked = Asked::new(Method::PUT, &url);
        asked.headers.push(("content-type", MANIFEST.to_owned()));
        asked.body = Some(&image.manifest.bytes);
        let answer = self.ask(&asked, "sending the manifest")?;
        if !matches!(answer.status, 200..=299) {
            return Err(self.refused("sending the manifest", &answer));
        }
        let mut asked = Asked::new(Method::GET, &url);
        asked.headers.push(("accept", MANIFEST.to_owned()));
        let answer = self.ask(&asked, "reading the manifest back")?;
        match answer.status {
            200 if answer.body == image.manifest.bytes => Ok(missing),
            200 => Err(self.mismatch("the manifest", None)),
            _ => Err(self.refused("reading the manifest back", &answer)),
        }
    }

    /// Whether the registry has a blob. A registry may say where else it is, and so that it is there.
    fn has(&self, blob: &Blob) -> Result<bool, PushError> {
        let url = self.repository.url(&format!("blobs/{}", blob.digest));
        let answer = self.ask(&Asked::new(Method::HEAD, &url), "asking for a layer")?;
        match answer.status {
            200..=299 | 307 | 308 => Ok(true),
            404 => Ok(false),
            _ => Err(self.refused("asking for a layer", &answer)),
        }
    }

    /// Sends a blob; where that breaks, asks how far it came, and goes on from there.
    fn upload(&self, blob: &Blob, progress: &dyn Fn(usize)) -> Result<(), PushError> {
        let (mut place, mut tries): (Option<Place>, Tries) = (None, Tries::default());
        loop {
            let before = place.as_ref().map_or(0, |place| place.offset);
            match self.go_on(blob, &mut place, progress) {
                Ok(()) => return Ok(()),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Passing { why, after }) => {
                    if place.as_ref().is_some_and(|place| place.offset > before) {
                        tries.succeeded();
                    }
                    self.wait(&mut tries, "sending a layer", &why, after)?;
                    // Its end may have arrived, and the answer not.
                    if self.has(blob)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// One try of an upload: from its beginning, or from where the registry says that it is.
    fn go_on(&self, blob: &Blob, known: &mut Option<Place>, progress: &dyn Fn(usize)) -> Result<(), Trouble> {
        let resumed = known.as_ref().map(|place| self.look(place)).transpose()?.flatten();
        let place = match resumed {
            Some(place) => place,
            None => self.begin()?,
        };
        *known = Some(place.clone());
        let total = blob.bytes.len();
        let place = if place.offset < total { self.send(blob, &place, progress)? } else { place };
        *known = Some(place.clone());
        let mut end = place.url;
        end.query_pairs_mut().append_pair("digest", &blob.digest);
        let mut asked = Asked::new(Method::PUT, end.as_str());
        asked.body = Some(&[]);
        let answer = self.once(&asked)?;
        match answer.status {
            200..=299 => Ok(()),
            // The specification's answer to bytes that have another digest.
            400 if said_code(&answer, "DIGEST_INVALID") => {
                Err(self.mismatch("a layer", upload::said(&answer.body)).into())
            }
            // The upload is gone, or of another length than both believe: begin anew.
            404 | 416 => {
                *known = None;
                Err(Trouble::Passing { why: "the registry has lost the upload".into(), after: None })
            }
            _ => Err(self.refused("ending an upload", &answer).into()),
        }
    }

    /// Sends the rest in one piece: Amazon ECR takes no pieces below 5 MiB but the last, and a whole layer is hardly more.
    fn send(&self, blob: &Blob, place: &Place, progress: &dyn Fn(usize)) -> Result<Place, Trouble> {
        let total = blob.bytes.len();
        let sent = |count: usize| progress(place.offset + count);
        let mut asked = Asked::new(Method::PATCH, place.url.as_str());
        asked.headers.push(("content-type", "application/octet-stream".into()));
        if place.offset > 0 {
            asked.headers.push(("content-range", upload::rest(place.offset, total)));
        }
        asked.body = Some(&blob.bytes[place.offset..]);
        asked.progress = Some(&sent);
        let answer = self.once(&asked)?;
        match answer.status {
            200..=299 => Ok(Place { offset: total, ..self.place(&answer, place.url.as_str(), total)? }),
            404 | 416 => Err(Trouble::Passing { why: "the registry has lost the upload".into(), after: None }),
            _ => Err(self.refused("sending a layer", &answer).into()),
        }
    }

    /// Asks for an upload, and returns where it is.
    fn begin(&self) -> Result<Place, Trouble> {
        let url = self.repository.url("blobs/uploads/");
        let mut asked = Asked::new(Method::POST, &url);
        asked.body = Some(&[]);
        let answer = self.once(&asked)?;
        match answer.status {
            202 => Ok(Place { offset: 0, ..self.place(&answer, &url, 0)? }),
            404 => Err(PushError::NoRepository { host: self.host(), name: self.repository.name().to_owned() }.into()),
            _ => Err(self.refused("beginning an upload", &answer).into()),
        }
    }

    /// Asks how far an upload is; none where the registry does not know it any more.
    fn look(&self, place: &Place) -> Result<Option<Place>, Trouble> {
        let answer = self.once(&Asked::new(Method::GET, place.url.as_str()))?;
        let offset = answer.header("range").and_then(upload::received);
        match (answer.status, offset) {
            (200..=299, Some(offset)) => {
                self.place(&answer, place.url.as_str(), offset).map(Some).map_err(Trouble::from)
            }
            _ => Ok(None),
        }
    }

    /// Where an upload goes on: the answer says it, with or without a host. Without such a word it is where it was.
    fn place(&self, answer: &Answer, asked: &str, offset: usize) -> Result<Place, PushError> {
        let malformed = || self.refused("beginning an upload", answer);
        let base = Url::parse(asked).map_err(|_| malformed())?;
        let url = match answer.header("location") {
            Some(location) => base.join(location).map_err(|_| malformed())?,
            None if answer.status == 202 && offset == 0 => return Err(malformed()),
            None => base,
        };
        Ok(Place { url, offset })
    }

    /// Asks until there is an answer that another try would not change.
    fn ask(&self, asked: &Asked<'_>, what: &str) -> Result<Answer, PushError> {
        let mut tries = Tries::default();
        loop {
            match self.once(asked) {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Passing { why, after }) => self.wait(&mut tries, what, &why, after)?,
            }
        }
    }

    fn wait(&self, tries: &mut Tries, what: &str, why: &str, after: Option<Duration>) -> Result<(), PushError> {
        // A number that differs from run to run; nothing depends on how random it is.
        let random = std::hash::RandomState::new().build_hasher().finish().to_le_bytes()[0];
        let Some(wait) = tries.failed(after, random) else {
            let (host, what, tries) = (self.host(), what.to_owned(), tries.count());
            return Err(PushError::Failing { host, what, tries, why: why.to_owned() });
        };
        (self.say)(&format!("{}: {why}; trying again in {:.1} s", self.repository.host(), wait.as_secs_f64()));
        std::thread::sleep(wait);
        Ok(())
    }

    /// Asks once; signs in where that is wanted, and asks again then.
    fn once(&self, asked: &Asked<'_>) -> Result<Answer, Trouble> {
        let used = self.authorization.borrow().clone();
        let answer = self.send_as(asked, used.as_deref())?;
        if answer.status != 401 {
            return self.judge(answer);
        }
        let wanted = answer.headers("www-authenticate").find_map(challenge::parse);
        let Some(authorization) = self.authorization(wanted.as_ref())? else {
            return Err(PushError::NoLogin { host: self.host() }.into());
        };
        // The same again would be refused again; a token may just have become too old.
        if used.as_ref() == Some(&authorization) {
            return Err(self.bad_login(&answer).into());
        }
        *self.authorization.borrow_mut() = Some(authorization.clone());
        let answer = self.send_as(asked, Some(&authorization))?;
        if answer.status == 401 {
            return Err(self.bad_login(&answer).into());
        }
        self.judge(answer)
    }

    fn send_as(&self, asked: &Asked<'_>, authorization: Option<&str>) -> Result<Answer, Trouble> {
        let mut headers = asked.headers.clone();
        // Only to the registry itself, whatever place it names for an upload.
        let is_home = Url::parse(asked.url).ok().map(|url| url.origin())
            == Url::parse(&self.repository.url("")).ok().map(|url| url.origin());
        headers.extend(authorization.filter(|_| is_home).map(|value| ("authorization", value.to_owned())));
        let asked = Asked { method: asked.method.clone(), headers, ..*asked };
        self.wire.ask(&asked).map_err(|silence| self.silent(silence))
    }

    fn silent(&self, silence: Silence) -> Trouble {
        match silence {
            Silence::Passing(why) => Trouble::Passing { why, after: None },
            Silence::Untrusted(why) => PushError::Untrusted { host: self.host(), why }.into(),
            Silence::Final(why) => PushError::Unreachable { host: self.host(), why }.into(),
        }
    }

    fn judge(&self, answer: Answer) -> Result<Answer, Trouble> {
        match answer.status {
            403 => {
                let repository = self.repository.to_string();
                Err(PushError::Denied { repository, said: upload::said(&answer.body) }.into())
            }
            status if retry::is_passing(status) => {
                Err(Trouble::Passing { why: format!("status {status}"), after: answer.retry_after() })
            }
            _ => Ok(answer),
        }
    }

    /// What to say to a registry that wants to know who one is; none where there is nothing to say.
    fn authorization(&self, wanted: Option<&Challenge>) -> Result<Option<String>, Trouble> {
        match wanted {
            Some(Challenge::Bearer { realm, service, scope }) => {
                self.token(realm, service.as_deref(), scope.as_deref()).map(Some)
            }
            // A registry that does not say how is asked in the simplest way.
            Some(Challenge::Basic) | None => Ok(self.login.as_ref().map(Login::basic)),
        }
    }

    /// Fetches a token of whoever gives them for this registry.
    fn token(&self, realm: &str, service: Option<&str>, scope: Option<&str>) -> Result<String, Trouble> {
        let host = self.host();
        let bad = || PushError::Unreachable { host: host.clone(), why: format!("it names `{realm}` for tokens") };
        let mut url = Url::parse(realm).map_err(|_| bad())?;
        if url.scheme() != "https" && !self.repository.is_on_this_machine() {
            return Err(PushError::Unencrypted { host, realm: realm.to_owned() }.into());
        }
        let ours = format!("repository:{}:pull,push", self.repository.name());
        url.query_pairs_mut().extend_pairs(service.map(|service| ("service", service)));
        url.query_pairs_mut().append_pair("scope", scope.unwrap_or(&ours));
        let mut asked = Asked::new(Method::GET, url.as_str());
        asked.headers.extend(self.login.as_ref().map(|login| ("authorization", login.basic())));
        let answer = self.wire.ask(&asked).map_err(|silence| self.silent(silence))?;
        if matches!(answer.status, 401 | 403) {
            return Err(match &self.login {
                Some(_) => self.bad_login(&answer),
                None => PushError::NoLogin { host },
            }
            .into());
        }
        let answer = self.judge(answer)?;
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = body["token"].as_str().or_else(|| body["access_token"].as_str());
        match token {
            Some(token) if answer.status == 200 => Ok(format!("Bearer {token}")),
            _ => Err(self.refused("asking for a token", &answer).into()),
        }
    }

    fn bad_login(&self, answer: &Answer) -> PushError {
        let who = self.login.as_ref().map_or_else(|| "nobody".to_owned(), |login| format!("`{}`", login.user));
        PushError::Login { host: self.host(), who, said: upload::said(&answer.body) }
    }

    fn mismatch(&self, what: &str, said: Option<String>) -> PushError {
        PushError::Mismatch { host: self.host(), what: what.to_owned(), said }
    }

    fn refused(&self, what: &str, answer: &Answer) -> PushError {
        let (host, said) = (self.host(), upload::said(&answer.body));
        PushError::Refused { host, what: what.to_owned(), status: answer.status, said }
    }
}

fn said_code(answer: &Answer, code: &str) -> bool {
    upload::said(&answer.body).is_some_and(|said| said.starts_with(code))
}
