//! Opens connections upstream: names resolved, proxies of our own environment honoured, TLS
//! always verified, each opening timed.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::super::body::BoxError;

/// Says whether a host was configured by the operator, and so may be on this machine.
pub(crate) type Configured = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Why no connection could be opened, where the error's type alone would not tell.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("cannot resolve {name}: {source}")]
    Unresolved { name: String, source: io::Error },
    #[error(
        "{name} resolves to {address} only, an address of this machine or link that no option names"
    )]
    Local { name: String, address: String },
    #[error("no connection within {} s", .0.as_secs())]
    Timeout(Duration),
}

/// Facts about the connection that carried a request; in the reply's extensions.
#[derive(Clone)]
pub(crate) struct Opened {
    took: Duration,
    fresh: Arc<AtomicBool>,
}

impl Opened {
    /// How long opening took, for the first request on the connection only.
    pub(crate) fn first_use(&self) -> Option<Duration> {
        self.fresh
            .swap(false, Ordering::Relaxed)
            .then_some(self.took)
    }
}

/// The connector that hyper's client uses.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: HttpsConnector<MaybeTunnel>,
    limit: Duration,
}

impl Connector {
    pub(crate) fn new(
        tls: rustls::ClientConfig,
        proxies: Option<Arc<Matcher>>,
        configured: Configured,
        limit: Duration,
    ) -> Self {
        let mut http = HttpConnector::new_with_resolver(Resolver {
            inner: GaiResolver::new(),
            configured,
        });
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(limit));
        let tunnel = MaybeTunnel { http, proxies };
        let inner = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tunnel);
        Self { inner, limit }
    }
}

type Pinned<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

impl Service<Uri> for Connector {
    type Response = Timed;
    type Error = BoxError;
    type Future = Pinned<Timed>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let start = Instant::now();
        let opening = self.inner.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            let stream = tokio::time::timeout(limit, opening)
                .await
                .map_err(|_| OpenError::Timeout(limit))??;
            let opened = Opened {
                took: start.elapsed(),
                fresh: Arc::new(AtomicBool::new(true)),
            };
            Ok(Timed { stream, opened })
        })
    }
}

/// Goes through the proxy that the environment names for a destination, if any.
#[derive(Clone)]
struct MaybeTunnel {
    http: HttpConnector<Resolver>,
    proxies: Option<Arc<Matcher>>,
}

impl Service<Uri> for MaybeTunnel {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pinned<TokioIo<TcpStream>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.http.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Some(proxy) = self
            .proxies
            .as_ref()
            .and_then(|proxies| proxies.intercept(&uri))
        else {
            let opening = self.http.call(uri);
            return Box::pin(async move { opening.await.map_err(Into::into) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), self.http.clone());
        if let Some(auth) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        Box::pin(async move { tunnel.call(uri).await.map_err(Into::into) })
    }
}

/// Resolves names, and refuses what leads back to this machine or link unless the operator
/// configured the host: a public name may be made to point there.
#[derive(Clone)]
struct Resolver {
    inner: GaiResolver,
    configured: Configured,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = OpenError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, OpenError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let configured = (self.configured)(name.as_str());
        let host = name.as_str().to_owned();
        let resolving = self.inner.call(name);
        Box::pin(async move {
            let found = resolving.await.map_err(|source| OpenError::Unresolved {
                name: host.clone(),
                source,
            })?;
            let all: Vec<SocketAddr> = found.collect();
            let allowed: Vec<SocketAddr> = all
                .iter()
                .filter(|address| configured || !is_local(address))
                .copied()
                .collect();
            match (allowed.is_empty(), all.first()) {
                (true, Some(address)) => Err(OpenError::Local {
                    name: host,
                    address: address.ip().to_string(),
                }),
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}

fn is_local(address: &SocketAddr) -> bool {
    super::super::gate::is_local_ip(address.ip())
}

/// A connection that knows how long it took to open.
pub(crate) struct Timed {
    stream: MaybeHttpsStream<TokioIo<TcpStream>>,
    opened: Opened,
}

impl Connection for Timed {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.opened.clone())
    }
}

impl Read for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Timed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, data)
    }
}
