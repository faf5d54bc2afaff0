using System.Net;
using Gateway.Edge;
using Gateway.Policy;

namespace Gateway.Audit;

/// <summary>
/// Which entries stand for many: what is looked at again and again, and what strangers are refused. The first is written down
/// at once; how many there were follows within the minute.
/// </summary>
internal sealed class AuditCounter(TimeProvider clock)
{
    private const int MostKeys = 10_000;

    /// <summary>How many addresses of strangers have a line of their own in a minute. The others share one.</summary>
    private const int MostStrangers = 20;

    /// <summary>How many failed sign-ins of one address are written one by one in a minute: each has a cause of its own.</summary>
    private const int MostSignIns = 20;

    /// <summary>How an own key of Headscale is named, which nobody has proven yet when it is over the limit.</summary>
    private const string OwnKey = "key:";

    private static readonly string _tooMany = SnakeCase.From(nameof(Reason.TooMany));
    private static readonly TimeSpan _window = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<Key, Window> _windows = [];
    private int _anonymous;

    /// <summary>Whether nothing is being counted.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _windows.Count == 0;
            }
        }
    }

    /// <summary>The entry to write down; null when it was counted.</summary>
    /// <param name="countsReads">Whether reads that were allowed are counted at all.</param>
    public AuditEntry? Take(AuditEntry entry, bool countsReads)
    {
        if (KeyOf(entry, countsReads) is not { } key)
        {
            return entry;
        }

        lock (_gate)
        {
            if (!_windows.TryGetValue(key, out var window))
            {
                if (key.IsAnonymous && _anonymous >= MostStrangers)
                {
                    key = Key.OtherStrangers;
                    entry = entry with { Client = null, Detail = "more strangers than are written down one by one" };
                }

                if (!_windows.TryGetValue(key, out window))
                {
                    if (_windows.Count >= MostKeys)
                    {
                        return entry;
                    }

                    window = new(clock.GetTimestamp());
                    _windows.Add(key, window);
                    _anonymous += key.IsAnonymous ? 1 : 0;
                }
            }

            if (window.Written < (key.Row is not null && key.IsAnonymous ? MostSignIns : 1))
            {
                window.Begin(entry.RequestId);
                return entry;
            }

            window.Add(entry.At);
            return null;
        }
    }

    /// <summary>What is to be written down of entries that stand for many by now. Minutes that are over are forgotten.</summary>
    /// <param name="isEager">Whether also of those whose minute goes on.</param>
    public List<AuditRecord> TakeCounts(bool isEager)
    {
        var counts = new List<AuditRecord>();
        lock (_gate)
        {
            foreach (var (key, window) in _windows.ToArray())
            {
                var isOver = clock.GetElapsedTime(window.Begun) >= _window;
                if ((isOver || isEager) && window.TakeCount() is { } count)
                {
                    counts.Add(new AuditRecord.Counted(count));
                }

                if (isOver)
                {
                    _windows.Remove(key);
                    _anonymous -= key.IsAnonymous ? 1 : 0;
                }
            }
        }

        return counts;
    }

    private static Key? KeyOf(AuditEntry entry, bool countsReads) => entry switch
    {
        // A key that Headscale refused is anybody's, and there may be a new one each time.
        { Class: AuditClass.Read, Status: StatusCodes.Status401Unauthorized } => new(
            null, null, null, null, entry.Reason, entry.Status, GroupOf(entry.Client), IsAnonymous: true),
        { Class: AuditClass.Read, Kind: AuditKind.Api } => !countsReads ? null : new(
            entry.Actor, entry.Role, entry.HeadscaleUser, entry.Row, entry.Reason, entry.Status, entry.Client, IsAnonymous: false)
        {
            Token = entry.Token,
        },
        { Class: AuditClass.Refusal, Actor: null } => new(
            null, null, null, entry.Kind is AuditKind.Api ? null : entry.Row, entry.Reason, null, GroupOf(entry.Client), IsAnonymous: true),

        // So is an own key that was refused here: nobody asked Headscale about it.
        { Class: AuditClass.Refusal, Role: null, Actor: { } actor } when actor.StartsWith(OwnKey, StringComparison.Ordinal) => new(
            null, null, null, null, entry.Reason, null, GroupOf(entry.Client), IsAnonymous: true),

        // Whoever is over their limit goes on asking.
        { Class: AuditClass.Refusal } when entry.Reason == _tooMany =>
            new(entry.Actor, null, null, null, entry.Reason, null, entry.Client, IsAnonymous: false) { Token = entry.Token },
        _ => null,
    };

    /// <summary>The same groups of addresses as the rate limits have.</summary>
    private static string? GroupOf(string? client) =>
        IPAddress.TryParse(client, out var address) ? RateLimits.GroupOf(address).ToString() : client;

    /// <summary>What entries have in common that are counted as one.</summary>
    private readonly record struct Key(
        string? Actor, string? Role, string? HeadscaleUser, string? Row, string? Reason, int? Status, string? Client, bool IsAnonymous)
    {
        public string? Token { get; init; }

        /// <summary>All strangers beyond those who have a line of their own.</summary>
        public static Key OtherStrangers { get; } = new(null, null, null, null, null, null, null, IsAnonymous: false);
    }

    private sealed class Window(long begun)
    {
        private string _id = "";
        private long _count;
        private long _told;
        private DateTimeOffset _last;

        public long Begun => begun;

        public int Written { get; private set; }

        public void Begin(string id)
        {
            (_id, _count, _told) = (id, 1, 1);
            Written++;
        }

        public void Add(DateTimeOffset at)
        {
            _count++;
            _last = at;
        }

        public AuditCount? TakeCount()
        {
            if (_count == _told)
            {
                return null;
            }

            _told = _count;
            return new(_id, _count, _last);
        }
    }
}
