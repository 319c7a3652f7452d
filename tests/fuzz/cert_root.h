/* The authority of fuzz_cert: made for this corpus, its private key is gone. */
#ifndef TESTS_FUZZ_CERT_ROOT_H
#define TESTS_FUZZ_CERT_ROOT_H

/* clang-format off */
#define CERT_ROOT \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBhDCCASugAwIBAgIUUPwAa7E9n9Xsuhhl2zYmcE5w6yQwCgYIKoZIzj0EAwIw\n" \
	"DzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMjUxNDIyMzRaGA8yMDk1MDUwNzE0MjIz\n" \
	"NFowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABI+Z\n" \
	"t2CO3p45kU8XX+KsA4Vk7cfEnxiaQyU4pPfZmfKJyvkvwTJ+pyGcznKMKIHU+WeN\n" \
	"qRoe8hUXMAjhjMxjwP+jYzBhMB0GA1UdDgQWBBTNaE5F9RtZp0g4MvQ9XXQQuDzX\n" \
	"LTAfBgNVHSMEGDAWgBTNaE5F9RtZp0g4MvQ9XXQQuDzXLTAPBgNVHRMBAf8EBTAD\n" \
	"AQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNHADBEAiBU768Vk1mdBrmY\n" \
	"hZXnMZ5VMwdffZR0cRXy4byFWSD5aQIgY3FluEIkiScOz+Ug3JcUE10EBjDbUT5U\n" \
	"5BK1OyNhxUc=\n" \
	"-----END CERTIFICATE-----\n"
/* clang-format on */

#endif
