//! The management suite on the embedded server.

use waxseal_tests::management;
use waxseal_tests::process::Server;

macro_rules! management {
    ($($check:ident),* $(,)?) => {$(
        #[tokio::test]
        async fn $check() {
            let folder = tempfile::tempdir().unwrap();
            let server = Server::start(folder.path()).await;
            management::$check(&server.client()).await;
        }
    )*};
}

waxseal_tests::management_checks!(management);
