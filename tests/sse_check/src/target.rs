//! A URL, as far as a request needs it.

/// Where to connect and what to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        Ok(Self { tls, host, port, authority: authority.to_owned(), path })
    }

    /// The URL again, for requests in absolute form and for messages.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}{}", if self.tls { "https" } else { "http" }, self.authority, self.path)
    }
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
}
