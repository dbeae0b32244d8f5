//! Name resolution that vets every address: one forbidden address refuses the name.

use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use waxseal_domain::address::AddressRules;

/// The system's resolver, vetted. What it returns is what is connected to: there is no second
/// look-up in which a name could lead elsewhere.
#[derive(Debug)]
pub(super) struct VettingResolver {
    rules: Arc<AddressRules>,
}

impl VettingResolver {
    pub(super) fn new(rules: Arc<AddressRules>) -> Self {
        Self { rules }
    }
}

impl Resolve for VettingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.rules);
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            for address in &found {
                rules.check_resolved(address.ip())?;
            }
            let addrs: Addrs = Box::new(found.into_iter());
            Ok(addrs)
        })
    }
}
