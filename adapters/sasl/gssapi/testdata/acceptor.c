/* The acceptor of MIT's libgssapi, for tests: what a broker does with it. Lines of
 * hex come in, one token each, and go out again. "new OFFER" begins a login, with the
 * security layers to offer, four octets in hex. A line "! ..." is an error, "= NAME"
 * the end of a login. */
#include <gssapi/gssapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gss_ctx_id_t context = GSS_C_NO_CONTEXT;
static char line[1 << 18];
static unsigned char bytes[1 << 17];

static size_t from_hex(const char *text)
{
    size_t n = 0;
    unsigned int octet;
    for (; sscanf(text, "%2x", &octet) == 1 && *text != '\n'; text += 2)
        bytes[n++] = octet;
    return n;
}

static void put(const char *mark, gss_buffer_t b)
{
    printf("%s", mark);
    for (size_t i = 0; i < b->length; i++)
        printf("%02x", ((unsigned char *)b->value)[i]);
    printf("\n");
    fflush(stdout);
}

static void fail(const char *call, OM_uint32 major, OM_uint32 minor)
{
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text;
    gss_display_status(&ignored, minor, GSS_C_MECH_CODE, GSS_C_NO_OID, &more, &text);
    printf("! %s: %x %.*s\n", call, major, (int)text.length, (char *)text.value);
    fflush(stdout);
}

int main(void)
{
    OM_uint32 major, minor, flags;
    gss_name_t client = GSS_C_NO_NAME;
    gss_buffer_desc in, out, name;
    int established = 0, offered = 0, conf;
    gss_qop_t qop;
    unsigned char offer[4];

    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "new ", 4) == 0) {
            from_hex(line + 4);
            memcpy(offer, bytes, 4);
            gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
            established = offered = 0;
            continue;
        }
        in.length = from_hex(line);
        in.value = bytes;
        if (!established) {
            major = gss_accept_sec_context(&minor, &context, GSS_C_NO_CREDENTIAL, &in, GSS_C_NO_CHANNEL_BINDINGS,
                                           &client, NULL, &out, &flags, NULL, NULL);
            if (major != GSS_S_COMPLETE) {
                fail("gss_accept_sec_context", major, minor);
                continue;
            }
            if (!(flags & GSS_C_MUTUAL_FLAG) || !(flags & GSS_C_INTEG_FLAG) || !(flags & GSS_C_SEQUENCE_FLAG) || !(flags & GSS_C_REPLAY_FLAG)) {
                printf("! flags %x\n", flags);
                fflush(stdout);
                continue;
            }
            established = 1;
            put("", &out);
        } else if (!offered) {
            if (in.length != 0) {
                printf("! an empty token was due\n");
                fflush(stdout);
                continue;
            }
            in.length = 4;
            in.value = offer;
            major = gss_wrap(&minor, context, 0, GSS_C_QOP_DEFAULT, &in, &conf, &out);
            if (major != GSS_S_COMPLETE) {
                fail("gss_wrap", major, minor);
                continue;
            }
            offered = 1;
            put("", &out);
        } else {
            major = gss_unwrap(&minor, context, &in, &out, &conf, &qop);
            if (major != GSS_S_COMPLETE) { /* also GSS_S_GAP_TOKEN and its like */
                fail("gss_unwrap", major, minor);
                continue;
            }
            if (conf || out.length != 4 || memcmp(out.value, "\1\0\0\0", 4) != 0) {
                put("! the choice is ", &out);
                continue;
            }
            gss_display_name(&minor, client, &name, NULL);
            printf("= %.*s\n", (int)name.length, (char *)name.value);
            fflush(stdout);
        }
    }
    return 0;
}
