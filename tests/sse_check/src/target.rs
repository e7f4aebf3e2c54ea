//! A URL, as far as a request needs it.

/// Redirects in a row that are followed, as browsers do.
pub(crate) const REDIRECTS_MAX: usize = 20;

/// Where to connect and what to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Value of the `Host` header.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// Whether `Authorization` and `Cookie` may be sent there: not where a redirect led to another origin.
    pub takes_credentials: bool,
}

impl Target {
    /// Parses an absolute `http` or `https` URL; a fragment is dropped, as browsers do.
    ///
    /// # Errors
    /// A sentence that names the URL and the rule.
    pub fn parse(url: &str) -> Result<Self, String> {
        let bad = |rule: &str| format!("`{url}` is not a URL to check: {rule}");
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it must begin with http:// or https://"))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(bad("it must begin with http:// or https://")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad("it must be ASCII without spaces; percent-encode the rest"));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(bad("it must not carry a user name; use --header 'Authorization: …'"));
        }
        let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
            Some((host, port)) => (host, port.parse().map_err(|_| bad("its port must be from 0 to 65535"))?),
            None => (authority, if tls { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(bad("it must name a host"));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { tls, host, port, authority: authority.to_owned(), path, takes_credentials: true })
    }

    /// Where a redirect from here leads that says so.
    ///
    /// # Errors
    /// A sentence that names what is said and the rule.
    pub fn redirected(&self, location: &str) -> Result<Self, String> {
        let mut encoded = String::new();
        for byte in location.split('#').next().unwrap_or_default().bytes() {
            if byte.is_ascii_graphic() {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        let mut target = Self::parse(&self.resolved(&encoded))?;
        if self.tls && !target.tls {
            return Err(format!("`{}` leads from https to http", target.url()));
        }
        let is_same =
            target.tls == self.tls && target.port == self.port && target.host.eq_ignore_ascii_case(&self.host);
        target.takes_credentials = self.takes_credentials && is_same;
        Ok(target)
    }

    /// An absolute URL from one that may be relative to this one (RFC 3986 5.2).
    fn resolved(&self, location: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        let own_path = self.path.split('?').next().unwrap_or_default();
        let (path, query) = location.split_at(location.find('?').unwrap_or(location.len()));
        if path.split('/').next().is_some_and(|first| first.contains(':')) {
            return location.to_owned();
        }
        if path.starts_with("//") {
            return format!("{scheme}:{location}");
        }
        let rest = match path {
            "" if query.is_empty() => self.path.clone(),
            "" => format!("{own_path}{query}"),
            _ if path.starts_with('/') => format!("{}{query}", without_dots(path)),
            _ => {
                let folder = own_path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{}{query}", without_dots(&format!("{folder}/{path}")))
            }
        };
        format!("{scheme}://{}{rest}", self.authority)
    }

    /// The URL again, for requests in absolute form and for messages.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}{}", if self.tls { "https" } else { "http" }, self.authority, self.path)
    }
}

/// An absolute path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let segments = path.split('/').skip(1);
    let ends_in_folder = segments.clone().last().is_some_and(|last| [".", ".."].contains(&last));
    for segment in segments {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    if ends_in_folder {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, host: &str, port: u16, path: &str) {
        let target = Target::parse(url).unwrap();
        assert_eq!((&*target.host, target.port, &*target.path), (host, port, path), "{url}");
    }

    #[test]
    fn urls_are_taken_apart() {
        check("http://a", "a", 80, "/");
        check("https://a.example/b?c=d#e", "a.example", 443, "/b?c=d");
        check("HTTP://127.0.0.1:8081/x", "127.0.0.1", 8081, "/x");
        check("http://[::1]:99?q", "::1", 99, "/?q");
        check("http://[::1]/", "::1", 80, "/");
        for bad in ["", "a", "ftp://a", "http://", "http://:80", "http://a:b", "http://u@a", "http://a/ b", "http://ü"]
        {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn redirects_lead_where_browsers_go() {
        let check = |from: &str, location: &str, expected: &str, takes_credentials: bool| {
            let target = Target::parse(from).unwrap().redirected(location);
            let found = target.map(|target| (target.url(), target.takes_credentials));
            assert_eq!(found, Ok((expected.to_owned(), takes_credentials)), "{from} {location}");
        };
        let from = "http://a.example/b/c?d=e";
        check(from, "https://other.example:8443/x", "https://other.example:8443/x", false);
        check(from, "https://a.example/x", "https://a.example/x", false);
        check(from, "http://a.example:8080/x", "http://a.example:8080/x", false);
        check(from, "http://A.example:80/x#y", "http://A.example:80/x", true);
        check(from, "//other.example/x", "http://other.example/x", false);
        check(from, "/x?y=/../z", "http://a.example/x?y=/../z", true);
        check(from, "x/./y", "http://a.example/b/x/y", true);
        check(from, "../x", "http://a.example/x", true);
        check(from, "../../../x/..", "http://a.example/", true);
        check(from, ".", "http://a.example/b/", true);
        check(from, "?x:y", "http://a.example/b/c?x:y", true);
        check(from, "", "http://a.example/b/c?d=e", true);
        check(from, "/ü x", "http://a.example/%C3%BC%20x", true);
        check("https://a.example", "x", "https://a.example/x", true);
        let away = Target::parse(from).unwrap().redirected("http://b.example").unwrap();
        assert!(!away.redirected("http://a.example/b/c").unwrap().takes_credentials);
        for (from, location) in [("https://a.example/", "http://a.example/"), (from, "mailto:x"), (from, "http://")] {
            assert!(Target::parse(from).unwrap().redirected(location).is_err(), "{location}");
        }
    }
}
