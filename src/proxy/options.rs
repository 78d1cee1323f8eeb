//! What the operator asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::config::Limits;

/// How the proxy listens, forwards and guards.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where to listen, and what each listener is bound to.
    pub listen: Vec<Listen>,
    /// Endpoint URLs that stand in for AWS's own.
    pub endpoints: Endpoints,
    /// The profile that signs for callers who name none.
    pub profile: Option<String>,
    /// The region for requests that name none.
    pub region: Option<String>,
    /// Further names that may stand in `Host`.
    pub allow_hosts: Vec<String>,
    /// Refuse operations that change something.
    pub read_only: bool,
    /// Serve nothing but requests signed with a lane's key.
    pub require_lane: bool,
    /// Leave unsigned callers unsigned.
    pub leave_unsigned: bool,
    /// Forward the client's own signature untouched.
    pub as_signed: bool,
    /// The only roots to trust, instead of the platform's.
    pub ca_bundle: Option<PathBuf>,
    /// Every bound.
    pub limits: Limits,
}

/// One `--listen ADDR[=URL]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// The upstream of a bound listener.
    pub bound: Option<Endpoint>,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, bound) = match text.split_once('=') {
            Some((address, url)) => (address, Some(url.parse()?)),
            None => (text, None),
        };
        let address = address
            .parse()
            .map_err(|_| format!("`{address}` is no address with a port; write 127.0.0.1:8787"))?;
        Ok(Self { address, bound })
    }
}

/// Endpoint URLs: one for all services, one for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// For every service without its own.
    pub general: Option<Endpoint>,
    /// By botocore's name of the service, or its signing name.
    pub services: BTreeMap<String, Endpoint>,
}

impl Endpoints {
    /// Adds one `[SERVICE=]URL`.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        match text.split_once('=') {
            Some((service, url)) if !service.contains("://") => {
                self.services.insert(service.to_owned(), url.parse()?);
            }
            _ => self.general = Some(text.parse()?),
        }
        Ok(())
    }

    /// The URL for a service, by either of its names.
    pub fn of(&self, service: Option<&str>, signing_name: Option<&str>) -> Option<&Endpoint> {
        let by_name = |name: &str| self.services.get(name);
        service
            .and_then(by_name)
            .or_else(|| signing_name.and_then(by_name))
            .or(self.general.as_ref())
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Endpoint> {
        self.general.iter().chain(self.services.values())
    }
}

/// An upstream: scheme, authority and the path that goes in front of the request's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host, with the port where it is not the scheme's own.
    pub authority: Authority,
    /// Without a slash at its end; empty for none.
    pub path: String,
}

impl Endpoint {
    /// `https` at AWS's own host.
    pub fn aws(host: &str) -> Result<Self, String> {
        let authority = host
            .parse()
            .map_err(|_| format!("`{host}` is no host name"))?;
        Ok(Self {
            scheme: Scheme::HTTPS,
            authority,
            path: String::new(),
        })
    }

    /// Host name or address, without brackets or port.
    pub fn host(&self) -> &str {
        bare(self.authority.host())
    }

    /// The port, by default the scheme's.
    pub fn port(&self) -> u16 {
        self.authority
            .port_u16()
            .unwrap_or(if self.is_tls() { 443 } else { 80 })
    }

    /// Whether it is reached over TLS.
    pub fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// `scheme://authority`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown = without_userinfo(text);
        let wrong = |why: &str| {
            format!("`{shown}` is no endpoint URL: {why}; write http://HOST:PORT or https://HOST")
        };
        let uri: Uri = text
            .parse()
            .map_err(|_| wrong("it cannot be read as a URL"))?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.ok_or_else(|| wrong("it has no scheme"))?;
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(wrong("its scheme is neither http nor https"));
        }
        let authority = parts.authority.ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it carries a user name, which no AWS endpoint takes"));
        }
        let own = format!(":{}", if scheme == Scheme::HTTPS { 443 } else { 80 });
        let authority = match authority.as_str().strip_suffix(&own) {
            Some(host) => host.parse().map_err(|_| wrong("its host cannot be read"))?,
            None => authority,
        };
        let path = parts.path_and_query.as_ref().map_or("", |path| path.path());
        if parts
            .path_and_query
            .as_ref()
            .is_some_and(|path| path.query().is_some())
        {
            return Err(wrong("it has a query"));
        }
        Ok(Self {
            scheme,
            authority,
            path: path.trim_end_matches('/').to_owned(),
        })
    }
}

/// A password has no place in an error message.
fn without_userinfo(url: &str) -> String {
    let (scheme, rest) = url
        .split_once("://")
        .map_or(("", url), |(scheme, rest)| (scheme, rest));
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}"),
        None => url.to_owned(),
    }
}

/// A host without the brackets of an IPv6 address.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_and_named() {
        let endpoint: Endpoint = "https://vpce-1.s3.us-east-1.vpce.amazonaws.com:443/base/"
            .parse()
            .unwrap();
        assert_eq!(
            endpoint.origin(),
            "https://vpce-1.s3.us-east-1.vpce.amazonaws.com"
        );
        assert_eq!((endpoint.path.as_str(), endpoint.port()), ("/base", 443));
        for wrong in [
            "localhost:80",
            "ftp://a",
            "http://",
            "http://a/?q",
            "http://u:p@h/",
        ] {
            assert!(wrong.parse::<Endpoint>().is_err(), "{wrong}");
        }
        assert!(
            !"http://u:pass@h/"
                .parse::<Endpoint>()
                .unwrap_err()
                .contains("pass")
        );
        let mut endpoints = Endpoints::default();
        endpoints.add("s3=http://127.0.0.1:9").unwrap();
        endpoints.add("http://127.0.0.1:8?").unwrap_err();
        endpoints.add("http://127.0.0.1:8").unwrap();
        assert_eq!(endpoints.of(Some("s3"), None).unwrap().port(), 9);
        assert_eq!(endpoints.of(Some("sts"), Some("sts")).unwrap().port(), 8);
    }

    #[test]
    fn listeners_may_be_bound() {
        let listen: Listen = "127.0.0.1:8788=https://a.execute-api.us-east-1.amazonaws.com"
            .parse()
            .unwrap();
        assert_eq!(
            listen.bound.unwrap().host(),
            "a.execute-api.us-east-1.amazonaws.com"
        );
        assert!(
            "8787"
                .parse::<Listen>()
                .unwrap_err()
                .contains("127.0.0.1:8787")
        );
    }
}
