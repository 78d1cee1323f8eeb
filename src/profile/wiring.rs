//! What the outside hands in: an HTTP client, a clock, limits, and who wants to know.

use std::{sync::Arc, time::Duration};

use aws_smithy_async::{rt::sleep::SharedAsyncSleep, time::SharedTimeSource};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};

use super::reach::Reach;
use crate::secret::Credentials;

/// Attempts of one call, the first included.
const ATTEMPTS: u32 = 3;

/// Whether a URL is one of our own listeners.
pub type IsOurs = Arc<dyn Fn(&str) -> bool + Send + Sync>;
/// Is told the profile, and credentials that had not been seen before.
pub type OnCredentials = Arc<dyn Fn(&str, &Arc<Credentials>) + Send + Sync>;

/// What profiles need from outside.
#[derive(Clone)]
pub struct Wiring {
    /// Every call for credentials goes over this client.
    pub http: SharedHttpClient,
    /// The clock.
    pub time: SharedTimeSource,
    /// Waits; with a clock of one's own, by that clock.
    pub sleep: SharedAsyncSleep,
    /// The longest that all hops of a profile may take together (`limits.credentials_ms`).
    pub limit: Duration,
    /// Whether a URL is one of our own listeners. Such endpoints are not used.
    pub is_ours: IsOurs,
    /// Is told of all credentials as they become known, so that they can be masked.
    pub on_credentials: OnCredentials,
}

impl Wiring {
    /// The client, which refuses to call ourselves whatever a provider has found in the
    /// process's environment.
    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Guarded {
            inner: self.http.clone(),
            is_ours: Arc::clone(&self.is_ours),
        })
    }

    /// Settings of an SDK client for `service` in `region`. Nothing in them reads the
    /// process's environment.
    pub(crate) fn sdk(&self, reach: &Reach, service: &str, region: &str) -> SdkConfig {
        let mut builder = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .http_client(self.client())
            .time_source(self.time.clone())
            .sleep_impl(self.sleep.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_timeout(self.limit)
                    .build(),
            )
            .region(Region::new(region.to_owned()))
            .use_fips(reach.use_fips)
            .use_dual_stack(reach.use_dualstack);
        builder.set_endpoint_url(reach.endpoint(service).map(str::to_owned));
        builder.build()
    }
}

/// A client that does not call our own listeners.
struct Guarded<T> {
    inner: T,
    is_ours: IsOurs,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Guarded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

impl HttpClient for Guarded<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Guarded {
            inner: self.inner.http_connector(settings, components),
            is_ours: Arc::clone(&self.is_ours),
        })
    }
}

impl HttpConnector for Guarded<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if (self.is_ours)(request.uri()) {
            let why = "it would come back to this proxy; unset AWS_ENDPOINT_URL here";
            return HttpConnectorFuture::ready(Err(ConnectorError::user(why.into())));
        }
        self.inner.call(request)
    }
}
