//! The contract suite on the embedded engine.

use waxseal_tests::{contract, fixtures};

macro_rules! contract {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let folder = tempfile::tempdir().unwrap();
            let engine = fixtures::engine(folder.path());
            contract::$check(engine.as_ref(), &fixtures::tenant("acme")).await;
        }
    )*};
}

waxseal_tests::contract_checks!(contract);
