/* What MIT's library reads in the krb5.conf of KRB5_CONFIG. The arguments are hosts. */
#include <krb5.h>
#include <profile.h>
#include <stdio.h>

static const char *values[] = {"ticket_lifetime", "renew_lifetime", "clockskew", "default_ccache_name", NULL};

static void list(const char *what, char **all)
{
    printf("%s", what);
    for (; all && *all; all++)
        printf(" <%s>", *all);
    printf("\n");
}

int main(int argc, char **argv)
{
    krb5_context ctx;
    profile_t profile;
    krb5_enctype *types;
    char *realm, **found, **hosts;
    const char *realms[] = {"realms", NULL};
    int i;
    if (krb5_init_context(&ctx)) {
        printf("refused\n");
        return 0;
    }
    if (krb5_get_default_realm(ctx, &realm))
        realm = "";
    printf("default <%s>\n", realm);
    krb5_get_profile(ctx, &profile);
    for (i = 0; values[i]; i++) {
        const char *path[] = {"libdefaults", values[i], NULL};
        if (!profile_get_values(profile, path, &found))
            list(values[i], found);
    }
    if (!profile_get_subsection_names(profile, realms, &found)) {
        for (; *found; found++) {
            const char *path[] = {"realms", *found, "kdc", NULL};
            char **kdcs = NULL;
            profile_get_values(profile, path, &kdcs);
            list(*found, kdcs);
        }
    }
    for (i = 1; i < argc; i++)
        if (!krb5_get_host_realm(ctx, argv[i], &hosts))
            printf("%s <%s>\n", argv[i], hosts[0]);
    if (!krb5_get_permitted_enctypes(ctx, &types)) {
        /* Those of AES, as Go prints a list. */
        const char *before = "types [";
        for (; *types; types++)
            if (*types >= 17 && *types <= 20) {
                printf("%s%d", before, *types);
                before = " ";
            }
        printf("]\n");
    }
    return 0;
}
