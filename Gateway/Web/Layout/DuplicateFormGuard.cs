using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Web.Layout;

/// <summary>
/// Remembers for some minutes what was sent, so that a second click, or a reload of the answer, does nothing twice. Each
/// page that is shown has a form token of its own, so the same thing can be sent again from a fresh page.
/// </summary>
internal sealed class DuplicateFormGuard(TimeProvider clock)
{
    private const int MostKept = 20_000;

    private static readonly TimeSpan _keptFor = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, long> _sent = new(StringComparer.Ordinal);

    /// <summary>Whether this very form, with this very content, came for the first time.</summary>
    public bool IsFirst(PathString path, IFormCollection form)
    {
        if (_sent.Count >= MostKept)
        {
            foreach (var (key, at) in _sent.Where(one => clock.GetElapsedTime(one.Value) > _keptFor))
            {
                _sent.TryRemove(KeyValuePair.Create(key, at));
            }
        }

        // Full of what is younger: better to do something twice than to keep everybody from doing anything.
        return _sent.Count >= MostKept || _sent.TryAdd(HashOf(path, form), clock.GetTimestamp());
    }

    private static string HashOf(PathString path, IFormCollection form)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var text in form.OrderBy(one => one.Key, StringComparer.Ordinal).SelectMany(one => one.Value.Prepend(one.Key))
            .Prepend(path.Value))
        {
            var bytes = Encoding.UTF8.GetBytes(text ?? "");
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
