//! The URLs that clients ask: those of the command line, and those that redirects lead to.

use std::collections::HashMap;
use std::io;

use super::socket::{Door, Socket};
use crate::options::Options;
use crate::stream::Request;
use crate::target::Target;

/// One of them.
struct Place {
    target: Target,
    door: usize,
    /// The request without the blank line: a returning client adds its id.
    request: Vec<u8>,
}

/// All of them, each once.
pub(super) struct Places {
    options: Options,
    all: Vec<Place>,
    by_target: HashMap<Target, usize>,
    doors: Vec<Door>,
    /// By scheme, host and port.
    by_origin: HashMap<(bool, String, u16), usize>,
}

impl Places {
    /// Resolves the URLs of a run.
    ///
    /// # Errors
    /// A sentence: what cannot be resolved.
    pub(super) fn new(options: &Options) -> Result<Self, String> {
        let mut places = Self {
            options: options.clone(),
            all: Vec::new(),
            by_target: HashMap::new(),
            doors: Vec::new(),
            by_origin: HashMap::new(),
        };
        options.targets.iter().try_for_each(|target| places.place(target).map(drop))?;
        Ok(places)
    }

    /// Where a client of this number begins.
    pub(super) fn first(&self, client: usize) -> usize {
        self.by_target[&self.options.targets[client % self.options.targets.len()]]
    }

    /// Where a redirect from a place leads. A host that is new is looked up, once, while all clients wait.
    ///
    /// # Errors
    /// A sentence: why it is not followed.
    pub(super) fn redirected(&mut self, from: usize, location: &str) -> Result<usize, String> {
        let target = self.all[from].target.redirected(location)?;
        self.place(&target)
    }

    /// Begins to connect to a place as the client of this number.
    pub(super) fn open(&self, place: usize, client: usize) -> io::Result<Socket> {
        self.doors[self.all[place].door].open(client)
    }

    /// The request for a place of a client that has this id.
    pub(super) fn request(&self, place: usize, last_id: &[u8]) -> Vec<u8> {
        let mut request = self.all[place].request.clone();
        if !last_id.is_empty() {
            request.extend([b"Last-Event-ID: ", last_id, b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        request
    }

    fn place(&mut self, target: &Target) -> Result<usize, String> {
        if let Some(known) = self.by_target.get(target) {
            return Ok(*known);
        }
        let origin = (target.tls, target.host.clone(), target.port);
        let door = match self.by_origin.get(&origin) {
            Some(known) => *known,
            None => {
                self.doors.push(Door::of(target)?);
                self.by_origin.insert(origin, self.doors.len() - 1);
                self.doors.len() - 1
            }
        };
        let mut request = Request::new(target, &self.options.headers, self.options.timeout).bytes();
        request.truncate(request.len() - 2);
        self.all.push(Place { target: target.clone(), door, request });
        self.by_target.insert(target.clone(), self.all.len() - 1);
        Ok(self.all.len() - 1)
    }
}
