using System.Collections.Frozen;
using System.Text;

namespace Gateway.Settings;

/// <summary>Every setting, declared once. <c>gateway settings</c> and <c>docs/configuration.md</c> are written from this.</summary>
internal static class SettingDeclarations
{
    private const string None = "–";

    public static IReadOnlyList<SettingDeclaration> All { get; } =
    [
        new("headscale.url", Url("required"), "Where Headscale listens, such as `http://127.0.0.1:8080`. No path."),
        new(
            "headscale.api_key", Text(),
            "The key that the gateway works with where there is no `socket`. Without either, only Tailscale clients and callers with a "
            + "key of their own are served. `api_key_path`: a file with it.") { HasFile = true },
        new(
            "headscale.socket", Text(),
            "Headscale's own socket (`unix_socket` in its settings), such as `/var/run/headscale/headscale.sock`. No key is needed with "
            + "it, and calls cost a fiftieth or less "
            + "([socket.md](socket.md)). With a key as well, the key serves while the socket does not."),
        new(
            "headscale.version", Text(),
            "The version of Headscale, such as `0.29`, where it does not say so itself and cannot be found out."),
        new(
            "headscale.key_proof", Number(10, 0, 300),
            "How many seconds somebody's own Headscale key counts as proven after Headscale took it; calls with it then go over `socket`. "
            + "0: Headscale is asked each time."),
        new("headscale.tls_ca_path", Text(), "CA certificate (PEM) for verifying Headscale's TLS certificate; replaces the system's CAs."),
        new("headscale.tls_cert_path", Text(), "The older name of `tls_ca_path`."),
        new(
            "headscale.api_key_passthrough", Flag(true),
            "Requests that bring a well-formed Headscale key of their own go through unchanged."),
        new(
            "headscale.base_domain", Text(),
            "Headscale's own `dns.base_domain`, where MagicDNS is on: no call of Headscale tells it. With it, pages show and find the full "
                + "names of devices."),
        new(
            "headscale.oidc_issuer", Unset("`oidc.issuer`"),
            "The issuer in Headscale's own `oidc` section, where it differs: people are found by Headscale's `providerId`."),
        new("headscale.public_url", Url("`server.base_url`"), "Where Tailscale clients find Headscale, for the commands that pages show."),

        new(
            "server.base_url", Url(),
            "The public origin, such as `https://headscale.example.com`. Links, cookies and the check where a form comes from rest on "
            + "it; OIDC needs it."),
        new("server.base_path", Text("/admin"), "Where the gateway's own pages are."),
        new("server.host", Text("0.0.0.0"), "The address to listen on."),
        new("server.port", Number(3000, 0, 65_535), "The port to listen on."),
        new(
            "server.listen", List(),
            "Several addresses instead of host and port: `http://…`, `https://…` (needs the two below), `h2c://…` (HTTP/2 without TLS), "
            + "`unix:/run/headtower/http.sock` (readable and writable for owner and group; its peers count as 127.0.0.1)."),
        new("server.tls_cert_path", Text(), "PEM file of the certificate with its chain, for TLS without a front."),
        new("server.tls_key_path", Text(), "PEM file of its key."),
        new("server.data_path", Text("/var/lib/headtower"), "The folder of the store."),
        new("server.drain_seconds", Number(10, 0, 300), "How long open tunnels may hold up a shutdown, 0 to 300."),
        new(
            "server.trusted_proxies", List("`[]`"),
            "Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted: addresses and networks. `-Host` is never trusted."),
        new(
            "server.dangerously_trust_everyone", Flag(false),
            "Allows `0.0.0.0/0` in the lists of trusted peers. Anyone could then impersonate any user."),
        new("server.cookie_secure", Flag(true), "The session cookie is for https only. `false` is for trying things out."),
        new(
            "server.cookie_domain", Text(),
            "The domain of the session cookie. Without it, the cookie is for this host alone, which is safer."),
        new("server.cookie_max_age", Number(86_400, 60, 31_536_000), "How long a sign-in lasts at most, in seconds."),

        new(
            "server.proxy_auth.enabled", new SettingType.Flag(false, "required in the section"),
            "People are signed in by the headers of a proxy in front."),
        new("server.proxy_auth.allowed_cidrs", List("loopback"), "Only from these peers identity headers are trusted."),
        new(
            "server.proxy_auth.trusted_proxy_cidrs", List("loopback, with `ip_header`"),
            "With `ip_header`: the peers that may say so, and `allowed_cidrs` then is about the address that they name."),
        new("server.proxy_auth.ip_header", Text(), "The header in which a proxy further back names the client's address."),
        new(
            "server.proxy_auth.ip_header_mode", OneOf("rightmost", "first"),
            "`rightmost`: the right-most address that is no trusted proxy. `first`: the first one, as Headplane reads it."),
        new("server.proxy_auth.dangerously_trust_everyone", Flag(false), "As above, for these lists alone."),
        new("server.proxy_auth.user_header", Text("Remote-User"), "Who somebody is."),
        new("server.proxy_auth.email_header", Text(), "Their e-mail address."),
        new("server.proxy_auth.name_header", Text(), "What they are called."),
        new(
            "server.proxy_auth.picture_header", Text(), "The address of their picture. Kept, and not shown: pages have initials."),
        new("server.proxy_auth.groups_header", Text(), "Their groups, for `role_map`."),
        new("server.proxy_auth.groups_separator", Text(","), "What stands between two groups; authentik: a vertical bar."),
        new(
            "server.proxy_auth.subject_header", Text(),
            "A stable subject, where the proxy has the identity of an OpenID provider; with `issuer`."),
        new("server.proxy_auth.issuer", Text(), "The issuer of that subject."),
        new("server.proxy_auth.match_email", Flag(true), "People find their Headscale user by that address."),
        new("server.proxy_auth.match_username", Flag(false), "People find their Headscale user by `user_header` = its name."),
        new("server.proxy_auth.logout_url", Text(), "Where *Sign out* leads."),
        new(
            "server.proxy_auth.bearer", OneOf("refuse", "ignore"),
            "What a bearer token means beside the headers of a signed-in person. `refuse`: two credentials disagree. `ignore`: the "
            + "person counts, for user interfaces that insist on a key."),
        new("server.proxy_auth.shared_secret_header", Text(), "A header in which the proxy proves itself, on top of its address."),
        new("server.proxy_auth.shared_secret", Text(), "What is in it. `shared_secret_path`: a file with it.") { HasFile = true },
        new(
            "server.proxy_auth.role_map", new SettingType.Map(),
            "Group → role. The highest role that any group maps to; empty: people give roles."),
        new(
            "server.proxy_auth.default_role", Unset("`oidc.default_role`"),
            "The role of somebody new, or of somebody whose groups map to nothing."),

        new("oidc.enabled", Flag(true), "`false` keeps the section and switches it off."),
        new(
            "oidc.issuer", Url("required in the section"),
            "The provider, letter by letter as it writes itself, with or without a slash at the end."),
        new("oidc.client_id", Unset("required in the section"), "The client that the provider knows."),
        new(
            "oidc.client_secret", Unset("required in the section"),
            "Its secret. `client_secret_path`: a file with it. `HEADSCALE_OIDC_CLIENT_SECRET` counts where neither "
            + "is set.") { HasFile = true },
        new("oidc.client_key_path", Text(), "PEM file of the client's private key, for `private_key_jwt`."),
        new("oidc.scope", List("`openid email profile`"), "What is asked for, as text or list; some providers need `groups` here."),
        new("oidc.scopes", List(), "The older name of `scope`."),
        new("oidc.use_pkce", Flag(true), "S256. Leave it on unless the provider refuses it."),
        new("oidc.pkce.enabled", Flag(true), "Headscale's form of `use_pkce`."),
        new("oidc.pkce.method", Text("S256"), "S256 is what is used, whatever is written here."),
        new(
            "oidc.pushed_authorization", OneOf("auto", "required", "off"),
            "Pushed authorization requests (PAR): `auto` (where the provider demands them), `required`, `off`."),
        new("oidc.max_age", Number(null, 0, 31_536_000), "How many seconds ago people may have signed in at the provider."),
        new(
            "oidc.acr_values", List(),
            "The authentication context classes to ask for, as text or list. Whether the provider kept to it is not checked."),
        new("oidc.subject_claims", List("empty"), "Claims that stand in for a missing `sub`."),
        new(
            "oidc.match_email", OneOf("verified", "always", "off"),
            "Whether an address finds a Headscale user: `verified`, `always` (Entra ID sends no `email_verified`), `off`."),
        new(
            "oidc.role_claim", Text(),
            "The claim with roles or groups; dots lead into objects (`realm_access.roles`). It counts anew with every sign-in."),
        new("oidc.role_map", new SettingType.Map(), "Group → role. Without it, the claim's values are names of roles."),
        new("oidc.default_role", Text("member"), "The role of somebody new, or of somebody whose groups map to nothing."),
        new(
            "oidc.allowed_domains", List("empty"),
            "Only addresses of these domains may sign in. Empty, as in Headscale, is the same as none."),
        new("oidc.allowed_groups", List("empty"), "Only members of one of these groups may sign in."),
        new("oidc.allowed_users", List("empty"), "Only these addresses may sign in."),
        new("oidc.disable_api_key_login", Flag(false), "Nobody signs in to pages with a Headscale API key."),
        new("oidc.use_end_session", Flag(false), "Signing out signs out at the provider, too."),
        new("oidc.post_logout_redirect_uri", Url("the login page"), "Where the provider leads afterwards."),
        new(
            "oidc.extra_params", new SettingType.Map(),
            "Further parameters of the authorization request, such as `prompt`. None of the protocol's own."),
        new("oidc.authorization_endpoint", Url("discovered"), "For a provider without discovery; then all that it has must be named."),
        new("oidc.token_endpoint", Url("discovered"), "As above."),
        new("oidc.userinfo_endpoint", Url("discovered"), "As above."),
        new("oidc.end_session_endpoint", Url("discovered"), "As above."),
        new("oidc.jwks_uri", Url("discovered"), "As above: where its keys are."),
        new(
            "oidc.token_endpoint_auth_method",
            OneOf("auto", "client_secret_basic", "client_secret_post", "private_key_jwt", "none", "client_secret_jwt"),
            "`client_secret_basic`, `client_secret_post`, `private_key_jwt` (with `client_key_path`), `none` (a public client, "
            + "protected by PKCE). `auto` finds out which of the first two the provider takes."),
        new("oidc.tls_ca_path", Text(), "CA certificate (PEM) for verifying the provider's TLS certificate; replaces the system's CAs."),
        new("oidc.allow_weak_rsa_keys", Flag(false), "Accepts RSA keys below 2048 bits."),
        new(
            "oidc.profile_picture_source", OneOf("oidc", "gravatar"),
            "Read and kept, and not shown: the pages have initials, and no browser is led to another site's pictures."),
        new(
            "oidc.redirect_uri", Url(),
            "Not needed: the redirect address is `base_url` with `base_path` and `/oidc/callback`. Where `server.base_url` is not set, "
            + "it is taken from here."),
        new(
            "oidc.headscale_api_key", Text(),
            "The old place of `headscale.api_key`, which comes first; `headscale_api_key_path` as well.") { HasFile = true },

        new("bootstrap.first_user_is_owner", Flag(true), "The first person who signs in becomes the owner."),
        new(
            "bootstrap.owner", Text(),
            "Only this identity becomes the first owner: `proxy:alice`, `oidc:ISSUER#SUBJECT` or `email:ADDRESS`."),
        new(
            "onboarding.self_claim", OneOf("approval", "off", "open"),
            "What becomes of somebody's word that a Headscale user is theirs: `approval` (somebody who may assign roles confirms it), "
            + "`off`, `open` (trusted, as in Headplane)."),
        new("sessions.idle_minutes", Number(0, 0, 525_600), "How long a session may be unused; 0: as long as it lasts."),
        new("sessions.max_per_user", Number(20, 1, 1_000), "How many one person may have; the oldest go first."),
        new(
            "limits.anonymous_per_minute", Number(600, 0, 1_000_000),
            "Requests in a minute from one address while nobody is signed in; 0: no limit. Tailscale clients are never limited."),
        new("limits.caller_per_minute", Number(12_000, 0, 1_000_000), "Requests in a minute of one caller; 0: no limit."),
        new(
            "store.kind", OneOf([.. StoreKinds.Names]),
            "`sqlite` (one file, nothing to install), `litedb` (one file, no native code), `postgres` (a server, for several gateways)."),
        new(
            "store.connection", Unset("a file in `data_path`"),
            "The file of an embedded store. For `postgres`: `Host=…;Database=…;Username=…;Password=…` or `postgres://…`; "
            + "`connection_path`: a file with it.") { HasFile = true },
        new(
            "store.encryption_key", Text(),
            "Encrypts the keys that the store holds for what browsers carry. `encryption_key_path`: a file with it.") { HasFile = true },
        new(
            "roles.manual", OneOf("pinned", "mapped"),
            "What becomes of a role given by hand where `role_map` or `role_claim` decides: `pinned` (it stays until it is taken back: "
            + "`gateway users unpin`), `mapped` (the map decides each time, and giving one by hand is refused)."),
        new("audit.path", Unset("`audit` in `data_path`"), "The folder of the audit's files, one a day."),
        new("audit.retention_days", Number(365, 1, 36_500), "How many days of the audit are kept."),
        new(
            "audit.reads", OneOf("minute", "each"),
            "`minute`: what one caller reads again and again is one entry a minute with a count. `each`: one entry a read. Changes and "
            + "refusals are always single; refused strangers are counted."),
        new("branding.name", Text("Headtower"), "The name in the pages, such as that of your organisation."),
        new("branding.logo_path", Text(), "A picture beside the name: SVG or PNG, at most 100 kB, best square."),
        new("branding.text", Text(), "A sentence on the page that signs people in."),
        new("branding.provider_name", Text(), "What people call the sign-in provider: the button says *Sign in with* it."),
        new("branding.contact", Text(), "Whom people are told to ask when something is not possible: an address or a name."),
        new(
            "branding.language", OneOf("auto", "en", "de"),
            "The language of the pages. `auto`: the one that the browser asks for, or English."),

        new(
            "log.format", OneOf("auto", "text", "json", "journald"),
            "`auto`: with priorities where systemd's journal reads it, else text. `json`: one object a line. With a restart."),
        new("log.level", OneOf("info", "debug", "warning", "error"), "The least that is written. With a restart."),
        new("log.requests", Flag(false), "One line for each request, without its query. The audit has who did what in any case."),
        new("telemetry.otlp_endpoint", Url(), "Checked, and not used by this version."),
        new("telemetry.prometheus", Flag(false), "Checked, and not used by this version."),
    ];

    private static readonly FrozenDictionary<string, SettingDeclaration> _byKey =
        All.ToFrozenDictionary(one => one.Key, StringComparer.Ordinal);

    /// <summary>What a setting may hold.</summary>
    /// <typeparam name="T">What the caller reads it as.</typeparam>
    /// <exception cref="InvalidOperationException">It is not declared, or as something else: a mistake in the reader.</exception>
    public static T TypeOf<T>(string key)
        where T : SettingType => _byKey.GetValueOrDefault(key)?.Type as T
            ?? throw new InvalidOperationException($"The setting {key} is not declared as {typeof(T).Name}.");

    /// <summary>The declarations as a page.</summary>
    public static string Markdown()
    {
        var text = new StringBuilder("""
            # Settings

            This page is written by `gateway settings`; a test keeps it so. The file is looked for in `--config`, `HEADTOWER_CONFIG`,
            `./headtower.yaml`, `/etc/headtower/headtower.yaml`. Every setting can come from the environment: `server.base_url` is
            `HEADTOWER_SERVER__BASE_URL`, lists are separated by commas (`HEADPLANE_…` works as well). Every secret can come from a
            file: `x_path` in the place of `x`, with `${VAR}` put in from the environment. Null and an empty text are the same as nothing;
            an empty list of networks names nobody. `gateway check` reports every problem at once.

            """);
        foreach (var section in All.GroupBy(one => one.Key[..one.Key.LastIndexOf('.')]))
        {
            text.Append($"\n## {section.Key}\n\n| setting | default | meaning |\n|---|---|---|\n");
            foreach (var one in section)
            {
                text.Append($"| `{one.Key[(section.Key.Length + 1)..]}` | {one.Type.Unset} | {one.Meaning} |\n");
            }
        }

        text.Append("""

            ## Accepted and not used

            Keys of Headplane and of Headscale's own section `oidc` that change nothing here, so that a file can stay as it is. Each
            is named once at the start.

            | setting | why |
            |---|---|

            """);
        foreach (var one in KnownSettings.Unused)
        {
            text.Append($"| `{one.Key}` | {one.Why} |\n");
        }

        return text.ToString().ReplaceLineEndings("\n");
    }

    private static SettingType.Text Text() => new(null, None);

    private static SettingType.Text Text(string fallback) => new(fallback);

    private static SettingType.Text Unset(string words) => new(null, words);

    private static SettingType.Flag Flag(bool fallback) => new(fallback, fallback ? "`true`" : "`false`");

    private static SettingType.Number Number(int? fallback, int least, int most) => new(fallback, least, most);

    private static SettingType.Word OneOf(params string[] words) => new(words);

    private static SettingType.Url Url(string unset = None) => new(unset);

    private static SettingType.List List(string unset = None) => new(unset);
}
