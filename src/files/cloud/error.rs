//! What a server refused, in words that help.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use crate::files::{Action, FileError, Location, Url};

/// What is found out here and not by a server.
#[derive(Debug, thiserror::Error)]
pub(super) enum Missing {
    #[error("it is a directory")]
    Directory,
    #[error("it was replaced meanwhile; run again when nobody writes to it")]
    Replaced,
    #[error("the server's copy of it has {got} bytes instead of {wanted}")]
    Cut { got: u64, wanted: u64 },
}

impl Missing {
    pub(super) fn directory() -> Error {
        Self::Directory.into()
    }

    pub(super) fn replaced() -> Error {
        Self::Replaced.into()
    }

    pub(super) fn cut(got: u64, wanted: u64) -> Error {
        Self::Cut { got, wanted }.into()
    }
}

impl From<Missing> for Error {
    fn from(missing: Missing) -> Self {
        Self::Generic { store: "buckets", source: missing.into() }
    }
}

/// How messages call what the environment says of a kind of store.
struct Words {
    bucket: &'static str,
    credentials: &'static str,
    endpoint: &'static str,
}

fn words(scheme: &str) -> Words {
    match scheme {
        "gs" => Words {
            bucket: "bucket",
            credentials: "`GOOGLE_APPLICATION_CREDENTIALS` or `GOOGLE_SERVICE_ACCOUNT`",
            endpoint: "`GOOGLE_BASE_URL`",
        },
        "az" => Words {
            bucket: "container",
            credentials: "`AZURE_STORAGE_ACCOUNT_NAME` and `AZURE_STORAGE_ACCOUNT_KEY`",
            endpoint: "`AZURE_STORAGE_ENDPOINT`",
        },
        _ => Words {
            bucket: "bucket",
            credentials: "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`",
            endpoint: "`AWS_ENDPOINT_URL`",
        },
    }
}

/// The error for `at`.
pub(super) fn refused(action: Action, at: &Location, error: &Error) -> FileError {
    let (kind, what) = explain(at, error);
    FileError::new(action, at)(io::Error::new(kind, what))
}

fn explain(at: &Location, error: &Error) -> (ErrorKind, String) {
    let words = words(at.url().map_or("", Url::scheme));
    let bucket = at.url().map_or("", Url::bucket);
    let text = causes(error).join("\n");
    let says = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    let said = said(&text);
    if let Error::Generic { source, .. } = error
        && let Some(missing) = source.downcast_ref::<Missing>()
    {
        return match missing {
            Missing::Directory => (ErrorKind::InvalidInput, missing.to_string()),
            _ => (ErrorKind::StaleNetworkFileHandle, missing.to_string()),
        };
    }
    if says(&["NoSuchBucket", "ContainerNotFound", "bucket does not exist"]) {
        return (ErrorKind::Other, format!("there is no {} `{bucket}`{said}", words.bucket));
    }
    if says(&["169.254.169.254", "metadata.google.internal"]) {
        let what = format!("there are no credentials: set {}", words.credentials);
        return (ErrorKind::PermissionDenied, what);
    }
    if says(&["SlowDown", "503 Service Unavailable", "429 Too Many Requests", "ServerBusy"]) {
        let what =
            format!("the server has too much to do, after all retries{said}; run again later");
        return (ErrorKind::ResourceBusy, what);
    }
    if says(&["scheme is not allowed"]) {
        let what = format!(
            "the endpoint in {} has no TLS, which `AWS_ALLOW_HTTP=true` allows",
            words.endpoint
        );
        return (ErrorKind::InvalidInput, what);
    }
    if says(&["incorrectly configured region", "PermanentRedirect", "AuthorizationHeaderMalformed"])
    {
        let what = format!("the bucket is in another region{said}: set `AWS_REGION`");
        return (ErrorKind::InvalidInput, what);
    }
    // Where only the head of an answer comes, this is all that is said of a token that is too old.
    let is_too_old = says(&["ExpiredToken", "InvalidToken", "400 Bad Request"]);
    match error {
        Error::NotFound { .. } => (ErrorKind::NotFound, format!("there is no such object{said}")),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            let what = format!(
                "access is denied{said}: are {} those of somebody who may do that?",
                words.credentials
            );
            (ErrorKind::PermissionDenied, what)
        }
        Error::Generic { .. } if is_too_old => {
            let what = format!("the server refused{said}: are {} still valid?", words.credentials);
            (ErrorKind::PermissionDenied, what)
        }
        Error::Precondition { .. } => {
            (ErrorKind::StaleNetworkFileHandle, Missing::Replaced.to_string())
        }
        Error::InvalidPath { source } => {
            (ErrorKind::InvalidInput, format!("no object can be called so: {source}"))
        }
        _ => match failed(error) {
            Some(what) => {
                let endpoint = words.endpoint;
                let cause = causes(error).pop().unwrap_or_default();
                let what = format!("{what} ({cause}); is the network up, and {endpoint} right?");
                (ErrorKind::TimedOut, what)
            }
            None if !said.is_empty() => (ErrorKind::Other, format!("the server refused{said}")),
            None => (ErrorKind::Other, causes(error).pop().unwrap_or_default()),
        },
    }
}

/// What went wrong on the way to the server.
fn failed(error: &Error) -> Option<&'static str> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(error) = cause.downcast_ref::<HttpError>() {
            return Some(match error.kind() {
                HttpErrorKind::Connect => "the server cannot be reached",
                HttpErrorKind::Timeout => "the server does not answer",
                HttpErrorKind::Request | HttpErrorKind::Interrupted => "the connection was lost",
                _ => "the server's answer makes no sense",
            });
        }
        next = cause.source();
    }
    None
}

/// The error and its causes, the last one being that of all.
fn causes(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts
}

/// What the server said itself: ` (NoSuchBucket: The specified bucket does not exist)`.
fn said(text: &str) -> String {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once('<')?.0.trim())
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => {
            format!(" ({code}: {})", message.lines().next().unwrap_or_default())
        }
        (Some(code), None) => format!(" ({code})"),
        _ => String::new(),
    }
}
