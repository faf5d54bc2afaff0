namespace Gateway.Sandbox.StandIns;

/// <summary>A user of the stand-in.</summary>
internal sealed record TailnetUser(ulong Id, string Name, string Email = "", string ProviderId = "", string DisplayName = "")
{
    public DateTimeOffset CreatedAt { get; init; } = new(2026, 1, 1, 0, 0, (int)(Id % 60), TimeSpan.Zero);
}

/// <summary>A node of the stand-in.</summary>
internal sealed record TailnetNode(ulong Id, string Name, ulong UserId)
{
    public IReadOnlyList<string> Tags { get; init; } = [];

    public IReadOnlyList<string> ApprovedRoutes { get; init; } = [];

    public IReadOnlyList<string> AvailableRoutes { get; init; } = [];

    public string? Expiry { get; init; }

    public ulong? KeyId { get; init; }
}

/// <summary>A pre-auth key of the stand-in.</summary>
internal sealed record TailnetKey(ulong Id, string Key, ulong? UserId, string Expiration)
{
    public bool Reusable { get; init; }

    public bool Ephemeral { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>An API key of the stand-in.</summary>
internal sealed record TailnetApiKey(ulong Id, string Key, string Expiration);

/// <summary>Everything the stand-in keeps. One lock around every request makes it consistent.</summary>
internal sealed class Tailnet
{
    public List<TailnetUser> Users { get; } = [];

    public List<TailnetNode> Nodes { get; } = [];

    public List<TailnetKey> Keys { get; } = [];

    public List<TailnetApiKey> ApiKeys { get; } = [];

    public string? Policy { get; set; } = """{"acls":[{"action":"accept","src":["*"],"dst":["*:*"]}]}""";

    public ulong NextId { get; set; } = 100;

    public TailnetUser User(ulong id) => Users.Find(one => one.Id == id)
        ?? throw new StandInFailure(404, "user not found");

    public TailnetUser UserNamed(string name) => Users.FindAll(one => one.Name == name) is [var only]
        ? only
        : throw new StandInFailure(404, "expected exactly one user");

    public TailnetNode Node(ulong id) => Nodes.Find(one => one.Id == id)
        ?? throw new StandInFailure(404, "node not found");

    public TailnetNode Replace(TailnetNode node)
    {
        Nodes[Nodes.FindIndex(one => one.Id == node.Id)] = node;
        return node;
    }
}

/// <summary>A failure that the stand-in answers in the style of its version.</summary>
internal sealed class StandInFailure(int status, string message) : Exception(message)
{
    public int Status => status;
}
