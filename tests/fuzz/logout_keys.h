/* The key set of fuzz_logout: a public key alone. */
#ifndef TESTS_FUZZ_LOGOUT_KEYS_H
#define TESTS_FUZZ_LOGOUT_KEYS_H

/* clang-format off */
#define LOGOUT_KEYS \
	"{\"keys\":[{\"crv\":\"P-256\",\"kid\":\"k\",\"kty\":\"EC\",\"x\":\"cyglYyf1HUr6vCKv3QrC-i8t_vgDlDwMa9DWPPDaqNw\",\"y\":\"_OgZBbOYq1c4fR4M9jLFP3piZxaxoA474aqHGxbPUlU\",\"alg\":\"ES256\",\"use\":\"sig\"}]}"
/* clang-format on */

#endif
