using Gateway.Sandbox.StandIns;

namespace Gateway.Sandbox;

/// <summary>Someone who can sign in at the sandbox's front.</summary>
/// <param name="HeadscaleId">Their Headscale user; null for someone who has none.</param>
internal sealed record SandboxPerson(string Login, string Role, string Name, ulong? HeadscaleId)
{
    public string Email => $"{Login}@example.test";
}

/// <summary>One person for each role, and a tailnet that they own parts of.</summary>
internal static class People
{
    public static IReadOnlyList<SandboxPerson> All { get; } =
    [
        new("alice", "owner", "Alice Owner", 1),
        new("bob", "admin", "Bob Admin", 2),
        new("nina", "network_admin", "Nina Network", 3),
        new("ivan", "it_admin", "Ivan Helpdesk", 4),
        new("audrey", "auditor", "Audrey Auditor", 5),
        new("vera", "viewer", "Vera Viewer", 6),
        new("sam", "self_service", "Sam Selfservice", 7),
        new("mel", "member", "Mel Member", null),
    ];

    /// <summary>Every person with a Headscale user owns one node (their id plus 10) and one key; node 20 is tagged.</summary>
    public static void Settle(HeadscaleStandIn headscale)
    {
        var tailnet = headscale.Tailnet;
        foreach (var person in All.Where(one => one.HeadscaleId is not null))
        {
            var id = person.HeadscaleId!.Value;
            tailnet.Users.Add(new TailnetUser(id, person.Login, person.Email, "", person.Name));
            var key = headscale.Api.CreateKey(id, "2036-01-01T00:00:00Z", []);
            tailnet.Nodes.Add(new TailnetNode(id + 10, $"{person.Login}-laptop", id) { KeyId = key.Id });
        }

        tailnet.Nodes.Add(new TailnetNode(20, "db-1", 1) { Tags = ["tag:db"] });
    }
}
