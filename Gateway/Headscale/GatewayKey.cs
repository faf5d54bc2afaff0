using Gateway.Edge;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>Tells whether a call on API keys means the key that the gateway itself uses.</summary>
internal sealed class GatewayKey(HeadscaleClient client, ConfigurationMonitor monitor)
{
    /// <summary>Prefixes are compared loosely, since every version takes other forms of them; ids are looked up.</summary>
    /// <exception cref="HeadscaleException">Headscale did not say which key has the id.</exception>
    public async Task<TargetKey> FindAsync(Call call, CancellationToken cancel)
    {
        if (monitor.Current.Settings.Headscale.ApiKey is not { } key)
        {
            return TargetKey.Other;
        }

        // A key of a form that is not known here cannot be told from others, so that no key may be touched.
        if (ApiKeyFormat.PrefixOf(key.Reveal()) is not { } prefix)
        {
            return TargetKey.Unknown;
        }

        string?[] named = [call.Path.GetValueOrDefault("prefix"), call.Text("prefix")];
        if (named.Any(one => one?.Contains(prefix, StringComparison.OrdinalIgnoreCase) is true))
        {
            return TargetKey.Gateway;
        }

        return call.Text("id") is { } id
            && (await client.ListApiKeysAsync(cancel)).Any(one => one.Id == id && ApiKeyFormat.IsListedAs(key.Reveal(), one.Prefix))
            ? TargetKey.Gateway
            : TargetKey.Other;
    }
}
