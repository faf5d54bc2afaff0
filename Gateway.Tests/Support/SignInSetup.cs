using Gateway.Sandbox.StandIns;

namespace Gateway.Tests.Support;

/// <summary>A gateway that signs people in at a stand-in provider.</summary>
internal static class SignInSetup
{
    public static IReadOnlyList<ProviderAccount> Accounts { get; } =
    [
        new("alice", "sub-alice", "Alice Owner", "alice@example.test", true, ["admins"]),
        new("sam", "sub-sam", "Sam Selfservice", "sam@example.test", true, ["staff"]),
        new("eve", "sub-eve", "Eve", "alice@example.test", false, []),
        new("auth0", "auth0|5f7c", "Otto Auth", "otto@example.test", true, ["staff"]),
        new("slash", "tenant/42", "Tina Slash", "tina@example.test", true, ["staff"]),
    ];

    public static string Section(ProviderStandIn provider, string more = "") =>
        $$"""
        oidc:
          issuer: {{provider.Issuer}}
          client_id: {{ProviderStandIn.ClientId}}
          client_secret: '{{ProviderStandIn.ClientSecret}}'
        {{(more.Length > 0 ? more : "  role_claim: groups\n  role_map: {admins: admin, staff: self_service}")}}
        bootstrap: {owner: 'oidc:{{provider.Issuer}}#sub-alice'}
        """;

    public static async Task<TestGateway> StartAsync(
        ProviderStandIn provider, string more = "", int version = 29, string server = "", HeadscaleStandIn? headscale = null,
        string proxyAuth = "") =>
        await TestGateway.StartAsync(
            version, proxyAuth, Section(provider, more), "  trusted_proxies: [127.0.0.1]\n" + server, headscale: headscale);
}
