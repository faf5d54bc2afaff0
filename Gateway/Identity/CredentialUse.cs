using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Gateway.Settings;

namespace Gateway.Identity;

/// <summary>When credentials were used last: known at once, stored once a minute and at the end.</summary>
internal abstract partial class CredentialUse(TimeProvider clock, ILogger log) : BackgroundService
{
    /// <summary>How often it is stored.</summary>
    protected static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<long, DateTimeOffset> _used = new();

    protected TimeProvider Clock { get; } = clock;

    /// <summary>SHA-256 in lower-case hex, which is stored in the place of 256 random bits.</summary>
    protected static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>The credential with this number is used now.</summary>
    protected void Note(long id, DateTimeOffset now) => _used[id] = now;

    /// <summary>When it was used, where that is not stored yet.</summary>
    protected DateTimeOffset? Noted(long id) => _used.TryGetValue(id, out var used) ? used : null;

    /// <summary>Stores when credentials were used, and lets go of those that are over.</summary>
    /// <exception cref="StoreException">It could not be stored.</exception>
    protected abstract Task StoreAsync(IReadOnlyDictionary<long, DateTimeOffset> used);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, Clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await WriteAsync();
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!_used.IsEmpty)
        {
            await WriteAsync();
        }
    }

    private async Task WriteAsync()
    {
        var used = _used.ToArray();
        try
        {
            await StoreAsync(used.ToDictionary());
            foreach (var one in used)
            {
                _used.TryRemove(one);
            }
        }
        catch (StoreException e)
        {
            LogUnwritten(log, GetType().Name, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "When {Credentials} were used last could not be stored: {Cause}")]
    private static partial void LogUnwritten(ILogger log, string credentials, string cause);
}
