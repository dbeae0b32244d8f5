//! Name resolution that vets every address: one forbidden address refuses the name.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use waxseal_domain::endpoint::address::AddressRules;

use super::name_server::NameServer;

/// The addresses of a name, as some resolver tells them; ports are of no matter.
pub type Addresses = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
/// Looks a name up.
pub type LookUp = Arc<dyn Fn(String) -> Addresses + Send + Sync>;

/// Makes a look-up that asks the system's resolver.
pub(super) fn system() -> LookUp {
    Arc::new(|name| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
    })
}

/// A resolver, vetted. What it returns is what is connected to: there is no second look-up in which
/// a name could lead elsewhere.
pub(super) struct VettingResolver {
    rules: Arc<AddressRules>,
    name_server: Arc<NameServer>,
}

impl VettingResolver {
    pub(super) fn new(rules: Arc<AddressRules>, name_server: Arc<NameServer>) -> Self {
        Self { rules, name_server }
    }
}

impl fmt::Debug for VettingResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VettingResolver").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Resolve for VettingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.rules);
        let name_server = Arc::clone(&self.name_server);
        Box::pin(async move {
            let found = name_server.find(name.as_str()).await?;
            for address in &found {
                rules.check_resolved(address.ip())?;
            }
            let addrs: Addrs = Box::new(found.into_iter());
            Ok(addrs)
        })
    }
}
