//! What stands in a directory of a bucket: keys are asked for by their start, so a directory of
//! many is never listed whole for the sake of a few.

use std::collections::BTreeSet;

use object_store::list::PaginatedListOptions;
use object_store::path::Path;
use object_store::{Error, ListResult};

use super::client::Client;
use crate::files::{Location, Url};

impl Client {
    /// Everything in `prefix`'s directory whose name begins with its last component.
    pub(super) async fn list(&self, prefix: &Location) -> Result<Vec<Location>, Error> {
        let Some(url) = prefix.url() else { return Ok(Vec::new()) };
        let mut found = BTreeSet::new();
        let mut token = None;
        loop {
            let (page, next) = self.page(url, token, None).await?;
            let objects = page.objects.into_iter().map(|object| object.location);
            let keys = objects.chain(page.common_prefixes);
            found.extend(keys.filter_map(|key| inside(url, &key)));
            token = next;
            if token.is_none() {
                return Ok(found.into_iter().map(Location::Bucket).collect());
            }
        }
    }

    /// Whether something stands in `at` or below it.
    pub(super) async fn is_directory(&self, at: &Location) -> Result<bool, Error> {
        let Some(Location::Bucket(url)) = at.url().map(|_| at.join("")) else { return Ok(false) };
        let (page, _) = self.page(&url, None, Some(1)).await?;
        Ok(!page.objects.is_empty() || !page.common_prefixes.is_empty())
    }

    /// Some of the keys that begin with a name's key, and how to ask for more.
    async fn page(
        &self,
        url: &Url,
        page_token: Option<String>,
        max_keys: Option<usize>,
    ) -> Result<(ListResult, Option<String>), Error> {
        let Some(pages) = &self.pages else {
            let (directory, _) = url.directory_and_start();
            let all = self.objects.list_with_delimiter(Some(&Path::parse(directory)?)).await?;
            return Ok((all, None));
        };
        let delimiter = Some("/".into());
        let options =
            PaginatedListOptions { delimiter, max_keys, page_token, ..Default::default() };
        let prefix = Some(url.key()).filter(|key| !key.is_empty());
        let page = pages.0.list_paginated(prefix, options).await?;
        Ok((page.result, page.page_token))
    }
}

/// A key that was found, if it stands in `url`'s directory and begins as its name does: not the mark
/// that some programs leave for the directory itself.
fn inside(url: &Url, key: &Path) -> Option<Url> {
    let (directory, start) = url.directory_and_start();
    let name = key.as_ref().strip_prefix(directory)?;
    let fits = !name.is_empty() && !name.contains('/') && name.starts_with(start);
    fits.then(|| url.with_key(key.as_ref()))
}
