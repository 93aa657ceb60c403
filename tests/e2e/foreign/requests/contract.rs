//! The methods of the contract, as its descriptors have them.

use anyhow::{Context as _, Result};
use ktrdr_proto::DESCRIPTORS;
use prost_reflect::{DescriptorPool, MessageDescriptor, MethodDescriptor};

/// A method, and what it takes and gives.
#[derive(Debug, Clone)]
pub(super) struct Method {
    /// `MarketData/Load`.
    pub(super) name: String,
    pub(super) input: MessageDescriptor,
    pub(super) output: MessageDescriptor,
    pub(super) client_streaming: bool,
    pub(super) server_streaming: bool,
}

impl Method {
    fn of(method: &MethodDescriptor) -> Self {
        Self {
            name: format!("{}/{}", method.parent_service().name(), method.name()),
            input: method.input(),
            output: method.output(),
            client_streaming: method.is_client_streaming(),
            server_streaming: method.is_server_streaming(),
        }
    }
}

/// All of them, in the order of the contract.
pub(super) fn methods() -> Result<Vec<Method>> {
    let pool = DescriptorPool::decode(DESCRIPTORS).context("the contract's descriptors")?;
    let services = pool.services().filter(|service| service.package_name() == "ktrdr.v1");
    Ok(services.flat_map(|service| service.methods().map(|method| Method::of(&method)).collect::<Vec<_>>()).collect())
}
