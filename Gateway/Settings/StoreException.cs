namespace Gateway.Settings;

/// <summary>The store cannot be used. The message says why and what to do.</summary>
internal sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);
