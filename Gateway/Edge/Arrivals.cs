using System.Security.Cryptography;
using System.Text;

namespace Gateway.Edge;

/// <summary>How an announced request looked when it came.</summary>
/// <param name="Peer">The other end of the connection, such as <c>10.0.0.2</c>; null when it has no address.</param>
/// <param name="PeerPort">Its port.</param>
/// <param name="Forwarded">The elements of the header in which the front names the client, in their order.</param>
/// <param name="Client">Whom the gateway takes for the client; null when it cannot say.</param>
internal sealed record Arrival(string? Peer, int PeerPort, IReadOnlyList<string> Forwarded, string? Client);

/// <summary>
/// Keeps what one request looked like that was announced over the control socket: so <c>gateway doctor</c> learns what the front makes of
/// a client's address. Only who knows the mark that was given out is looked at, once.
/// </summary>
internal sealed class Arrivals
{
    /// <summary>The name of the mark in the query.</summary>
    public const string Parameter = "doctor";

    private readonly Lock _lock = new();
    private byte[]? _mark;
    private Arrival? _seen;

    /// <summary>A mark for the next request to look at; what was announced before is forgotten.</summary>
    public string Expect()
    {
        var mark = RandomNumberGenerator.GetHexString(32, lowercase: true);
        lock (_lock)
        {
            (_mark, _seen) = (Encoding.ASCII.GetBytes(mark), null);
        }

        return mark;
    }

    /// <summary>Looks at a request when it was announced.</summary>
    public void Note(HttpContext context, RequestContext request)
    {
        if (_mark is null || context.Request.Query[Parameter] is not [{ Length: > 0 } given])
        {
            return;
        }

        lock (_lock)
        {
            if (_mark is { } mark && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), mark))
            {
                (_mark, _seen) = (null, Look(context, request));
            }
        }
    }

    /// <summary>How the announced request looked; null when none came since.</summary>
    public Arrival? Take()
    {
        lock (_lock)
        {
            var seen = _seen;
            (_mark, _seen) = (null, null);
            return seen;
        }
    }

    private static Arrival Look(HttpContext context, RequestContext request) => new(
        request.Peer.Address?.ToString(), context.Connection.RemotePort,
        [.. request.Headers[request.Configuration.Settings.Server.ClientHeader]
            .SelectMany(line => (line ?? "").Split(',', StringSplitOptions.TrimEntries))],
        request.Peer.Client?.ToString());
}
