namespace Gateway.Sandbox.StandIns;

/// <summary>A user of the stand-in.</summary>
internal sealed record TailnetUser(ulong Id, string Name, string Email = "", string ProviderId = "", string DisplayName = "")
{
    public string PictureUrl { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; } = new(2026, 1, 1, 0, 0, (int)(Id % 60), TimeSpan.Zero);
}

/// <summary>A node of the stand-in.</summary>
internal sealed record TailnetNode(ulong Id, string Name, ulong UserId)
{
    /// <summary>What the machine calls itself; <see cref="Name"/> is the name that it was given.</summary>
    public string Host { get; init; } = Name;

    public IReadOnlyList<string> Addresses { get; init; } = [$"100.64.0.{Id % 250}"];

    public bool IsOnline { get; init; } = true;

    public string? LastSeen { get; init; }

    public string CreatedAt { get; init; } = "2026-01-01T00:00:00Z";

    public string RegisterMethod { get; init; } = "REGISTER_METHOD_AUTH_KEY";

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

    public bool IsUsed { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];
}

/// <summary>An API key of the stand-in.</summary>
internal sealed record TailnetApiKey(ulong Id, string Key, string Expiration);

/// <summary>A machine that asks to be let in.</summary>
/// <param name="Id">The number in the link that its owner opens.</param>
internal sealed record TailnetRequest(string Id, string User, string Name, IReadOnlyList<string> Routes);

/// <summary>Everything the stand-in keeps. One lock around every request makes it consistent.</summary>
/// <param name="isFresh">Whether it is a new database: no policy, and numbers from 1 for each kind.</param>
internal sealed class Tailnet(bool isFresh = false)
{
    private readonly Dictionary<Type, ulong> _last = [];

    public List<TailnetUser> Users { get; } = [];

    public List<TailnetNode> Nodes { get; } = [];

    public List<TailnetKey> Keys { get; } = [];

    public List<TailnetApiKey> ApiKeys { get; } = [];

    public List<TailnetRequest> Requests { get; } = [];

    /// <summary>The scopes of OAuth clients, by their secrets.</summary>
    public Dictionary<string, string> Clients { get; } = [];

    /// <summary>The scopes of OAuth tokens.</summary>
    public Dictionary<string, string> Tokens { get; } = [];

    /// <summary>Whether it is a new database, which knows only what it was told; else any machine may ask, with any tag.</summary>
    public bool IsFresh => isFresh;

    public string? Policy { get; set; } = isFresh ? null : """{"acls":[{"action":"accept","src":["*"],"dst":["*:*"]}]}""";

    /// <summary>The number of what is made next, where all kinds share their numbers.</summary>
    public ulong NextId { get; set; } = 100;

    /// <summary>The number of something new.</summary>
    public ulong NewId<T>() => isFresh ? _last[typeof(T)] = _last.GetValueOrDefault(typeof(T)) + 1 : NextId++;

    public TailnetUser? FindUser(ulong id) => Users.Find(one => one.Id == id);

    public TailnetNode? FindNode(ulong id) => Nodes.Find(one => one.Id == id);

    public TailnetUser User(ulong id) => FindUser(id) ?? throw new InvalidOperationException($"no user {id}");

    public TailnetNode Node(ulong id) => FindNode(id) ?? throw new InvalidOperationException($"no node {id}");

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

    /// <summary>What lies behind it, which 0.30 tells apart.</summary>
    public string? Cause { get; init; }

    /// <summary>The code of gRPC, up to 0.29.</summary>
    public int Code { get; init; } = status switch { 400 => 3, 404 => 5, 429 => 8, 501 => 12, 504 => 4, _ => 2 };
}
