/* The key set of fuzz_jws: public keys alone. */
#ifndef TESTS_FUZZ_JWS_KEYS_H
#define TESTS_FUZZ_JWS_KEYS_H

/* clang-format off */
#define JWS_KEYS \
	"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"mZ720zfx52_-MtGlHDo1qST2TmaIteYJaluJpB3Z18OK" \
	"rr08Q5vdYOGL-zrCqo__75qB93TDIz9-hgudeYdbSVyfFcvOHEMSPY4v9fBXJ_5RClvi-9eng5sqpy1o" \
	"pAeeNEOAUeIA3ebiKNMDFOCVnPNXWdvMhgTz1f1ewPmDZIntPOLviXk4bEJdRSgZNXWPAX9MtYfQko3m" \
	"nfwHepvz3td7eg9Q5ob5luStRvjWRhhRON8XeWozROV3f2V1wvbMXnau6O4OKTACpsRdeVlKdy517OD3" \
	"6gAELqyDFsBTVyfwJGxlw1g9D5igXKPtGb7-k31gLwprHfM4m8YpGvyg4w\",\"e\":\"AQAB\",\"ki" \
	"d\":\"RS256\",\"alg\":\"RS256\",\"use\":\"sig\"},{\"kty\":\"RSA\",\"n\":\"wUB6Zg" \
	"cZjhPxRyX93pmb8Hc7k9jlZF5lUtBVK_OcwY45ZCL5w_oX9MgWvAg0AFTNACaFUWhaqQa_xrNYmbxun3" \
	"h4UCmOLBNBaFCyfzA7BHiJ5roAlnf_JYdfESnGWG1auyUcC8llKc8dLMCOt6w9g1n6tC-x2uYSn6zviI" \
	"2GsTmZXV04FUOm6H9csU0rXfIrd6i0fYDl9OwO34AqWN-FDH_jC4-bxXdALer2z3DXhGYZyh9EC-XE51" \
	"KyGfuXWz5B2V4PSvIsCfh834ZEn_JJ6Tp4PjAbdRErCzGLWgzmasrRX8M60uWXhrzqna9ktN9LIQwJ6J" \
	"9iKFenINlSqmWmXw\",\"e\":\"AQAB\",\"kid\":\"PS256\",\"alg\":\"PS256\",\"use\":\"" \
	"sig\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"d8SeWqtF2tVrr4yh7js-VqK4RuhBKnM" \
	"xUsNo4W8y-R4\",\"y\":\"7KtH6TLgUr0SGXabRiNh0kVnwzOtxPtLujbQfHmEmtY\",\"kid\":\"E" \
	"S256\",\"alg\":\"ES256\",\"use\":\"sig\"},{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\"" \
	":\"aV9qoSBzRhQPa5RQJocFZ1DvamWLjQ9C7PoCgU8SZhfWWwhKoQiSFoIohbw-SYy2\",\"y\":\"OB" \
	"CixjHsZiUGRhzMlye2W0jWyjquOHq-jezB5-IY2dKlFb976Bp-Sf1OG8tAzeVE\",\"kid\":\"ES384" \
	"\",\"alg\":\"ES384\",\"use\":\"sig\"},{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"" \
	"AHxLSjK66WNErDF7kcXMcSH5jHcIjNn03k-X9h4w0e1zj4V8iwAwJejpbOyKtfhflyAKseQEmyuhUStQ" \
	"xwJR_H0k\",\"y\":\"ATclj_mTUr7tnTzU1p-ut63MFzwXzJl8Lal7JaDrx_iIjDzqmGbAzHqpLyIl5" \
	"bhNzCQaqvfHod7KHX3y8PL-OCJh\",\"kid\":\"ES512\",\"alg\":\"ES512\",\"use\":\"sig\"" \
	"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"jrPnVRBpq2SUpl-Ye4vYaQxlQCemnrjkQ" \
	"Tm7G5SLNx8\",\"kid\":\"EdDSA\",\"alg\":\"EdDSA\",\"use\":\"sig\"}]}"
/* clang-format on */

#endif
