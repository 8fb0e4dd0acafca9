/*
 * vectors: keys and signed texts that RFC 7515 (appendices A.1 to A.5) and RFC 8037 (appendix A)
 * publish. Included by the tests of key, key set and signature.
 */
#ifndef CONSIGN_UNIT_VECTORS_H
#define CONSIGN_UNIT_VECTORS_H

#define VECTOR_RSA_N                                                                        \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP" \
    "1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63k" \
    "paSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9" \
    "kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp" \
    "oQ"
#define VECTOR_EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define VECTOR_EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define VECTOR_P521_X "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk"
#define VECTOR_P521_Y "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"
#define VECTOR_ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define VECTOR_HMAC_K "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

/* The members of the keys. */
#define VECTOR_RSA "\"kty\":\"RSA\",\"n\":\"" VECTOR_RSA_N "\",\"e\":\"AQAB\""
#define VECTOR_EC "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" VECTOR_EC_X "\",\"y\":\"" VECTOR_EC_Y "\""
#define VECTOR_P521 "\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"" VECTOR_P521_X "\",\"y\":\"" VECTOR_P521_Y "\""
#define VECTOR_ED "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" VECTOR_ED_X "\""
#define VECTOR_HMAC "\"kty\":\"oct\",\"k\":\"" VECTOR_HMAC_K "\""

#define VECTOR_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define VECTOR_A1 "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." VECTOR_PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define VECTOR_A2                                                                            \
    "eyJhbGciOiJSUzI1NiJ9." VECTOR_PAYLOAD                                                   \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_" \
    "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIAR" \
    "NPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvh" \
    "J1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define VECTOR_A3 \
    "eyJhbGciOiJFUzI1NiJ9." VECTOR_PAYLOAD ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define VECTOR_A4                                                                                 \
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc" \
    "-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwN" \
    "rmxYbSW9ERBXukOXolLzeO_Jn"
#define VECTOR_A5 "eyJhbGciOiJub25lIn0." VECTOR_PAYLOAD "."
#define VECTOR_ED_A4 \
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"

#endif
