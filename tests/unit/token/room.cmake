unit(token
	SOURCES unit/token/main.c unit/token/keys.c
		unit/token/test_alg.c unit/token/test_b64.c unit/token/test_json.c
		unit/token/test_keyset.c unit/token/test_jws.c unit/token/test_vectors.c
		unit/token/test_claims.c unit/token/test_verify.c unit/token/test_threads.c
		unit/token/test_discovery.c unit/token/test_mint.c unit/token/test_differential.c
		unit/token/test_cnf.c unit/token/test_dpop.c unit/token/test_hash.c unit/token/test_htu.c
		unit/token/test_logout.c unit/token/oracle.c unit/token/test_oracle.c unit/token/test_nonce.c unit/token/test_purpose.c unit/token/test_replay.c unit/token/test_revocation.c unit/token/test_signer.c
		unit/token/test_thumbprint.c
		unit/token/test_padded.c unit/token/test_spiffe.c unit/token/test_issuer.c
		unit/token/test_introspection.c
		unit/token/test_workload.c unit/token/test_mapping.c unit/token/test_cert.c unit/token/ca.c)
target_link_libraries(unit_token PRIVATE PkgConfig::OPENSSL PkgConfig::JANSSON PkgConfig::LIBJWT)
target_link_options(unit_token PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
fuzz(jws LINK room_token)
fuzz(dpop LINK room_token)
fuzz(logout LINK room_token)
fuzz(jwks LINK room_token)
fuzz(claims LINK room_token)
fuzz(cert LINK room_token)
fuzz(introspection LINK room_token)
fuzz(discovery LINK room_token)
