//! How a bucket is reached: by what the environment says, as its own tools have it.

use std::env;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::list::PaginatedListStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::client::{Client, Pages};
use crate::files::Url;

/// What S3 copies in one request.
const S3_COPY: u64 = 5 << 30;

/// A server that does not answer for so long is given up.
const SILENCE: (ClientConfigKey, &str) = (ClientConfigKey::ReadTimeout, "2 minutes");
const CONNECT: (ClientConfigKey, &str) = (ClientConfigKey::ConnectTimeout, "10 seconds");

/// A copy of some gigabytes takes minutes, in which the server says now and then that it is at it.
const REQUEST: (ClientConfigKey, &str) = (ClientConfigKey::Timeout, "1 hour");

const TIMES: [(ClientConfigKey, &str); 3] = [SILENCE, CONNECT, REQUEST];

/// Machines in a cloud are told credentials at this address.
const METADATA: ([u8; 4], u16) = ([169, 254, 169, 254], 80);

/// What stands in the environment of those who get credentials in other ways.
const S3_CREDENTIALS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SKIP_SIGNATURE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
];
const AZURE_CREDENTIALS: &[&str] = &[
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_MASTER_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_STORAGE_CLIENT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_IDENTITY_ENDPOINT",
    "AZURE_MSI_ENDPOINT",
    "AZURE_SKIP_SIGNATURE",
    "AZURE_USE_AZURE_CLI",
    "AZURE_STORAGE_USE_EMULATOR",
];

/// Makes the client for a bucket. Nothing is asked of it yet.
pub(super) fn connect(url: &Url) -> io::Result<Client> {
    let bucket = url.bucket();
    if bucket.is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it names no bucket"));
    }
    match url.scheme() {
        "gs" => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
            let builder = TIMES.iter().fold(builder, |builder, (key, value)| {
                builder.with_config(GoogleConfigKey::Client(*key), *value)
            });
            client(builder.with_retry(retries()).build(), "GOOGLE_…", u64::MAX)
        }
        "az" => {
            has_credentials(AZURE_CREDENTIALS)?;
            let builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket);
            let builder = TIMES.iter().fold(builder, |builder, (key, value)| {
                builder.with_config(AzureConfigKey::Client(*key), *value)
            });
            client(builder.with_retry(retries()).build(), "AZURE_STORAGE_…", u64::MAX)
        }
        _ => {
            has_credentials(S3_CREDENTIALS)?;
            let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
            let builder = TIMES.iter().fold(builder, |builder, (key, value)| {
                builder.with_config(AmazonS3ConfigKey::Client(*key), *value)
            });
            client(builder.with_retry(retries()).build(), "AWS_…", S3_COPY)
        }
    }
}

fn client<S: ObjectStore + PaginatedListStore>(
    built: object_store::Result<S>,
    variables: &str,
    copy_limit: u64,
) -> io::Result<Client> {
    let store = built.map_err(|error| {
        let what = format!("the environment does not say how to reach it ({variables}): {error}");
        io::Error::new(ErrorKind::InvalidInput, what)
    })?;
    let store = Arc::new(store);
    let objects: Arc<dyn ObjectStore> = Arc::clone(&store) as _;
    Ok(Client { objects, pages: Some(Pages(store)), copy_limit })
}

/// Some 20 seconds, and longer only for servers that take their time.
fn retries() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(300),
        max_backoff: Duration::from_secs(10),
        base: 2.5,
    };
    RetryConfig { backoff, max_retries: 8, retry_timeout: Duration::from_secs(120) }
}

/// Refuses to ask for credentials where nobody would answer: that would take minutes.
fn has_credentials(variables: &[&str]) -> io::Result<()> {
    let metadata = SocketAddr::from(METADATA);
    if variables.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
        || TcpStream::connect_timeout(&metadata, Duration::from_secs(3)).is_ok()
    {
        return Ok(());
    }
    let what = match variables.first() {
        Some(&"AWS_ACCESS_KEY_ID") => {
            "there are no credentials: set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or \
             `AWS_SKIP_SIGNATURE=true` for a public bucket"
        }
        _ => {
            "there are no credentials: set `AZURE_STORAGE_ACCOUNT_NAME` and \
             `AZURE_STORAGE_ACCOUNT_KEY`"
        }
    };
    Err(io::Error::new(ErrorKind::PermissionDenied, what))
}
