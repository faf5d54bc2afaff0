namespace Gateway.Settings;

/// <summary>A value that is replaced as a whole while the gateway runs. Readers take <see cref="Current"/> once per request.</summary>
internal sealed class Live<T>(T first)
    where T : class
{
    private readonly Lock _gate = new();
    private readonly List<Action<T>> _listeners = [];
    private volatile T _current = first;

    public T Current => _current;

    public void Replace(T next)
    {
        Action<T>[] listeners;
        lock (_gate)
        {
            _current = next;
            listeners = [.. _listeners];
        }

        foreach (var listener in listeners)
        {
            listener(next);
        }
    }

    /// <summary>Calls back after every replacement, for as long as the process lives.</summary>
    public void OnReplaced(Action<T> listener)
    {
        lock (_gate)
        {
            _listeners.Add(listener);
        }
    }
}
