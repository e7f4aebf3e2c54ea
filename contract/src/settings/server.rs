//! What an ordinary server reads beside the settings of both functions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::setting::{Lookup, SettingError, both, known, settings};
use crate::units::Drain;
use crate::values::{Port, SettingValue};

/// Where AWS Lambda wants a program to listen that is an ordinary server.
const ENDPOINT_VARIABLE: &str = "AWS_LAMBDA_HTTP_ENDPOINT";
/// Where it listens anywhere else.
const ADDRESS_VARIABLE: &str = "SERVER_ADDRESS";
const PORT_VARIABLE: &str = "SERVER_PORT";

/// An address of this machine to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub IpAddr);

impl SettingValue for ListenAddress {
    fn read(text: &str) -> Result<Self, String> {
        let bad = |_| format!("`{}` is not an IP address; it must be {}", text.escape_debug(), Self::rule());
        text.parse().map(Self).map_err(bad)
    }
    fn write(&self) -> String {
        self.0.to_string()
    }
    fn rule() -> String {
        "an address of this machine, such as 127.0.0.1, 0.0.0.0 (all) or ::".to_owned()
    }
}

settings! {
    /// How an ordinary server is reached, and how it ends.
    pub struct ServerSettings {
        /// Address it listens on; on all of them only where something before it decides who comes in.
        "SERVER_ADDRESS" => address: ListenAddress = ListenAddress(IpAddr::V4(Ipv4Addr::LOCALHOST));
        /// Port it listens at; 0 takes a free one.
        "SERVER_PORT" => port: Port = known!(Port, 8080);
        /// How long it answers on once it is told to stop; over this time it asks its clients to come back.
        "SERVER_DRAIN" => drain: Drain = Drain::DEFAULT;
    }
}

impl ServerSettings {
    /// Reads the variables; where AWS Lambda says where to listen, that is so whatever they say.
    ///
    /// # Errors
    /// Every variable that is bad.
    pub fn on_this_platform(lookup: &Lookup<'_>) -> Result<Self, Vec<SettingError>> {
        let endpoint = lookup(ENDPOINT_VARIABLE).map(|text| {
            endpoint(&text).ok_or_else(|| {
                let reason =
                    format!("`{}` is not an address and a port, such as `http://127.0.0.1:8080`", text.escape_debug());
                vec![SettingError { name: ENDPOINT_VARIABLE, value: Some(text), reason }]
            })
        });
        // Whatever they are then, address and port of its own do not count.
        let is_own = |name: &str| endpoint.is_none() || ![ADDRESS_VARIABLE, PORT_VARIABLE].contains(&name);
        let settings = Self::from_env(&|name| lookup(name).filter(|_| is_own(name)));
        let (mut settings, endpoint) = both(settings, endpoint.transpose())?;
        if let Some(endpoint) = endpoint {
            settings.address = ListenAddress(endpoint.ip());
            settings.port = Port::from(endpoint.port());
        }
        Ok(settings)
    }

    /// The variables that say address and port: those of its own, or the platform's.
    #[must_use]
    pub fn variables(lookup: &Lookup<'_>) -> [&'static str; 2] {
        match lookup(ENDPOINT_VARIABLE) {
            Some(_) => [ENDPOINT_VARIABLE; 2],
            None => [ADDRESS_VARIABLE, PORT_VARIABLE],
        }
    }
}

/// Reads `http://ADDRESS:PORT`, or without the beginning. What the platform writes is described nowhere yet, so that all of these are taken.
fn endpoint(text: &str) -> Option<SocketAddr> {
    let rest = text.strip_prefix("http://").unwrap_or(text);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let named = rest.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let named = named.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    named.or_else(|| rest.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<String, String> {
        let lookup = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        ServerSettings::on_this_platform(&lookup)
            .map(|settings| format!("{} {} {}", settings.address.write(), settings.port.get(), settings.drain))
            .map_err(|errors| errors[0].to_string())
    }

    #[test]
    fn it_listens_on_this_machine_alone_unless_it_is_told() {
        assert_eq!(read(&[]), Ok("127.0.0.1 8080 8s".into()));
        assert_eq!(
            read(&[("SERVER_ADDRESS", "::"), ("SERVER_PORT", "80"), ("SERVER_DRAIN", "1m")]),
            Ok(":: 80 1m".into())
        );
        for (name, value, words) in [
            ("SERVER_ADDRESS", "localhost", "`localhost` is not an IP address"),
            ("SERVER_ADDRESS", "0.0.0.0:80", "`0.0.0.0:80` is not an IP address"),
            ("SERVER_PORT", "65536", "from 0 to 65535"),
            ("SERVER_DRAIN", "11m", "it must be from 0s to 10m"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(name) && error.contains(words), "{error}");
        }
    }

    #[test]
    fn lambda_says_where_to_listen() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:9000", "127.0.0.1 9000 8s"),
            ("http://localhost:9000/", "127.0.0.1 9000 8s"),
            ("0.0.0.0:80", "0.0.0.0 80 8s"),
            ("[::1]:9000", "::1 9000 8s"),
        ] {
            let pairs = [("AWS_LAMBDA_HTTP_ENDPOINT", endpoint), ("SERVER_ADDRESS", "192.0.2.1"), ("SERVER_PORT", "1")];
            assert_eq!(read(&pairs), Ok(expected.into()), "{endpoint}");
        }
        // What does not count is not wrong, and what is wrong is said at once.
        let pairs = [("AWS_LAMBDA_HTTP_ENDPOINT", "127.0.0.1:1"), ("SERVER_ADDRESS", "x"), ("SERVER_PORT", "y")];
        assert_eq!(read(&pairs), Ok("127.0.0.1 1 8s".into()));
        let pairs = [("AWS_LAMBDA_HTTP_ENDPOINT", "x"), ("SERVER_DRAIN", "y")];
        let lookup = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let errors = ServerSettings::on_this_platform(&lookup).unwrap_err();
        assert_eq!(
            errors.iter().map(|error| error.name).collect::<Vec<_>>(),
            ["SERVER_DRAIN", "AWS_LAMBDA_HTTP_ENDPOINT"]
        );
        for bad in ["", "9000", "https://127.0.0.1:9000", "/run/socket", "http://127.0.0.1", "http://127.0.0.1:9000/x"]
        {
            let error = read(&[("AWS_LAMBDA_HTTP_ENDPOINT", bad)]).unwrap_err();
            assert!(error.starts_with(&format!("AWS_LAMBDA_HTTP_ENDPOINT: `{bad}` is not")), "{error}");
        }
    }
}
