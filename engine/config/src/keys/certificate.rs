//! `[certificate.NAME]`: what a listener shows to prove that it is who clients asked for.

policy_keys::keys! {
    /// What a listener shows to prove that it is who clients asked for.
    pub struct Certificate = "certificate", named {
        /// The file with the certificates (PEM): the server's own first, then those that lead to an authority.
        @connection chain: required String,
        /// The file with the private key (PEM: PKCS #8, PKCS #1 or SEC 1; not encrypted).
        @connection key: required String,
        /// The names it is shown for: `"api.example.com"`, or `"*.example.com"` for any one label before it. Default: the DNS names and addresses in the certificate, or its common name if it has neither.
        @connection names: optional Vec<String>,
        /// The file with the OCSP response (DER) that is stapled to it.
        @connection ocsp: optional String,
    }
    later { acme_directory, acme_email, acme_domains }
}
