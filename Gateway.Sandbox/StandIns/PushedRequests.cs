using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Gateway.Sandbox.StandIns;

/// <summary>Authorization requests that were pushed (RFC 9126): each has a name, which counts once.</summary>
internal sealed class PushedRequests
{
    private readonly ConcurrentDictionary<string, QueryCollection> _kept = new();

    public string Keep(IFormCollection form)
    {
        var name = "urn:ietf:params:oauth:request_uri:" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        _kept[name] = new QueryCollection(form.ToDictionary(one => one.Key, one => one.Value));
        return name;
    }

    /// <summary>The request that a query stands for: itself, where nothing was pushed.</summary>
    public IQueryCollection Take(IQueryCollection query) =>
        query["request_uri"] is [{ } name] && _kept.TryRemove(name, out var pushed) ? pushed : query;
}
