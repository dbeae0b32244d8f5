//! The management suite on the template, deployed on the emulator: a tenant a check.

use waxseal_tests::cloud::Cloud;
use waxseal_tests::management;

macro_rules! management {
    ($($check:ident),* $(,)?) => {
        #[tokio::test]
        async fn the_suite_on_aws() {
            let client = Cloud::shared().await.client();
            // One after another: the emulator runs a function's invocations on two cores.
            $(management::$check(&client).await;)*
        }
    };
}

waxseal_tests::management_checks!(management);
